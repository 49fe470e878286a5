import { type GrpcCall, grpcCall } from './grpc.ts';

/** What a request became that came as a list of fields. */
export interface RequestText {
  /** A head as HTTP/1.1 writes it, latin1. */
  readonly text: string;
  /** How many header lines it has. A parser that finds another number was deceived. */
  readonly lines: number;
  /** Undefined for what is no call of gRPC. */
  readonly grpc: GrpcCall | undefined;
}

/** Methods whose requests say so when they have no content (RFC 9110 section 8.6). */
const EXPECTED_CONTENT: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

const COLON = 58;

/**
 * Writes the header list of an HTTP/2 request as the head of HTTP/1.1 that says the same, for the parser to judge.
 * `fields` holds names and values in turn; `ended`: no body follows. What nghttp2 has refused already (RFC 9113 sections
 * 8.2 and 8.3: connection-specific fields, names in upper case, pseudo headers that are missing or late) does not come here.
 */
export function requestText(fields: readonly string[], ended: boolean): RequestText {
  let method = '';
  let path: string | undefined;
  let authority: string | undefined;
  let host: string | undefined;
  let cookies = '';
  let measured = false;
  let contentType = '';
  let timeout = '';
  let rest = '';
  let lines = 0;
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i]!;
    const value = fields[i + 1]!;
    if (name.charCodeAt(0) === COLON) {
      if (name === ':method') method = value;
      else if (name === ':path') path = value;
      else if (name === ':authority') authority = value;
    } else if (name === 'cookie') {
      // RFC 9113 section 8.2.3: the crumbs of one header.
      cookies += cookies === '' ? value : `; ${value}`;
    } else if (name === 'host' && host === undefined) {
      host = value;
    } else {
      if (name === 'content-length') measured = true;
      else if (name === 'content-type') contentType = value;
      else if (name === 'grpc-timeout') timeout = value;
      rest += `${name}: ${value}\r\n`;
      lines++;
    }
  }
  let text = `${method} ${path ?? authority ?? ''} HTTP/1.1\r\n`;
  const add = (name: string, value: string): void => {
    text += `${name}: ${value}\r\n`;
    lines++;
  };
  if (authority !== undefined) add('host', authority);
  // RFC 9113 section 8.3.1: both must name the same host; two of them are refused.
  if (host !== undefined && host.toLowerCase() !== authority?.toLowerCase()) add('host', host);
  if (cookies !== '') add('cookie', cookies);
  if (!measured && !ended) add('transfer-encoding', 'chunked');
  else if (!measured && EXPECTED_CONTENT.has(method)) add('content-length', '0');
  const grpc = contentType === '' ? undefined : grpcCall(contentType, timeout);
  return { text: `${text}${rest}\r\n`, lines, grpc };
}
