import type { ErrorCode } from '@usher/domain';

/** Why a head or a body framing is refused. `detail` names the rule and is safe to show to the peer. */
export interface HttpFault {
  readonly code: ErrorCode;
  readonly detail: string;
}

function bad(detail: string): HttpFault {
  return { code: 'bad_request', detail };
}

/** Every way in which a message can break the grammar. In a response the code is irrelevant: all of them are a bad response. */
export const FAULTS = {
  bareLineFeed: bad('a line ends in LF without CR'),
  bareCarriageReturn: bad('CR without LF'),
  requestLine: bad('the request line is malformed'),
  method: bad('the method is not a token'),
  target: bad('the request target is malformed'),
  targetForm: bad('this form of request target is not allowed for the method'),
  statusLine: bad('the status line is malformed'),
  version: { code: 'version_not_supported', detail: 'only HTTP/1.0 and HTTP/1.1 are spoken here' },
  /** How HTTP/2 begins (RFC 9113 section 3.4). */
  preface: { code: 'version_not_supported', detail: 'only HTTP/1.0 and HTTP/1.1 are spoken here' },
  connect: { code: 'method_not_supported', detail: 'CONNECT is not supported' },
  fieldName: bad('a header name is malformed'),
  fieldValue: bad('a header value contains a character that is not allowed'),
  folding: bad('header folding is not allowed'),
  tooManyFields: { code: 'head_too_large', detail: 'there are too many header lines' },
  headTooLarge: { code: 'head_too_large', detail: 'the head is too long' },
  hostMissing: bad('the Host header is missing'),
  hostRepeated: bad('there is more than one Host header'),
  host: bad('the Host header is malformed'),
  hostMismatch: bad('the Host header and the request target name different hosts'),
  lengthSyntax: bad('the Content-Length header is malformed'),
  lengthRepeated: bad('there is more than one Content-Length header'),
  lengthAndCoding: bad('Content-Length and Transfer-Encoding exclude each other'),
  coding: bad('the Transfer-Encoding does not end in chunked'),
  codingUnknown: { code: 'method_not_supported', detail: 'only the transfer coding chunked is supported' },
  codingInOldVersion: bad('Transfer-Encoding does not exist in HTTP/1.0'),
  connectionOption: bad('the Connection header is malformed'),
  expectation: { code: 'expectation_failed', detail: 'only the expectation 100-continue is supported' },
  informational: bad('101 to a request that asked for no upgrade, or too many informational responses'),
  chunkSize: bad('a chunk size is malformed'),
  chunkExtension: bad('a chunk extension is malformed or too long'),
  chunkEnd: bad('a chunk is not followed by CRLF'),
  trailer: bad('the trailer section is malformed or too long'),
  trailerField: bad('a header that does not belong into the trailer section is in it'),
} as const satisfies Record<string, HttpFault>;
