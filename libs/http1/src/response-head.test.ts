import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  FAULTS,
  FAULTY,
  HeadBuffer,
  type HttpFault,
  INCOMPLETE,
  parseResponseHead,
  ResponseHead,
} from './index.ts';

const LIMITS = { headerBytes: 2048, headerCount: 20 };

interface Said {
  readonly status?: number;
  readonly minor?: number;
  readonly body?: string;
  readonly length?: number;
  readonly persistent?: boolean;
}

function parse(bytes: Buffer, toHead = false): HttpFault | Said | undefined {
  const head = new ResponseHead();
  const end = parseResponseHead(bytes, bytes.length, toHead, LIMITS, head);
  if (end === INCOMPLETE) return undefined;
  if (end === FAULTY) return head.fault;
  const { status, minor, body, length, persistent } = head;
  return { status, minor, body, length, persistent };
}

const ok = (fields: string): string => `HTTP/1.1 200 OK\r\n${fields}\r\n`;

const CASES: readonly (readonly [raw: string, verdict: HttpFault | Said, toHead?: boolean])[] = [
  [ok('Content-Length: 5\r\n'), { status: 200, minor: 1, body: 'length', length: 5, persistent: true }],
  [ok('Content-Length: 0\r\n'), { body: 'none', persistent: true }],
  [ok(''), { body: 'close', persistent: false }],
  [ok('Connection: keep-alive\r\n'), { body: 'close', persistent: false }],
  [ok('Transfer-Encoding: chunked\r\n'), { body: 'chunked', persistent: true }],
  [ok('Content-Length: 5\r\nConnection: close\r\n'), { persistent: false }],
  [ok('Content-Length: 5\r\n'), { body: 'none', length: 0, persistent: true }, true],
  [ok(''), { body: 'none', persistent: true }, true],
  [ok('Transfer-Encoding: chunked\r\n'), { body: 'none' }, true],
  ['HTTP/1.1 204 No Content\r\n\r\n', { status: 204, body: 'none', persistent: true }],
  ['HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n', { body: 'none', length: 0 }],
  ['HTTP/1.1 100 Continue\r\n\r\n', { status: 100, body: 'none' }],
  ['HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n', { status: 103, body: 'none' }],
  ['HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n', { minor: 0, body: 'length', persistent: false }],
  ['HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n', { persistent: true }],
  ['HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', { status: 200 }],
  ['HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n', { status: 200 }],
  ['HTTP/1.1 200 Sch\xf6n\r\nContent-Length: 0\r\n\r\n', { status: 200 }],
  ['HTTP/1.1 599 X\r\n\r\n', { status: 599 }],
  ['HTTP/1.1 600 X\r\n\r\n', FAULTS.statusLine],
  ['HTTP/1.1 099 X\r\n\r\n', FAULTS.statusLine],
  ['HTTP/1.1 20 X\r\n\r\n', FAULTS.statusLine],
  ['HTTP/1.1 2000 X\r\n\r\n', FAULTS.statusLine],
  ['HTTP/1.1  200 OK\r\n\r\n', FAULTS.statusLine],
  ['HTTP/1.1 200\tOK\r\n\r\n', FAULTS.statusLine],
  ['HTTP/1.1 200 O\x00K\r\n\r\n', FAULTS.statusLine],
  ['HTTP/2.0 200 OK\r\n\r\n', FAULTS.statusLine],
  ['http/1.1 200 OK\r\n\r\n', FAULTS.statusLine],
  ['ICY 200 OK\r\n\r\n', FAULTS.statusLine],
  ['\r\nHTTP/1.1 200 OK\r\n\r\n', FAULTS.statusLine],
  ['garbage', FAULTS.statusLine],
  ['HTTP/1.1 200 OK\n\n', FAULTS.bareLineFeed],
  ['HTTP/1.1 200 OK\rX\r\n\r\n', FAULTS.bareCarriageReturn],
  [ok('A: b\r\n c\r\n'), FAULTS.folding],
  [ok('A : b\r\n'), FAULTS.fieldName],
  [ok('A: \x00\r\n'), FAULTS.fieldValue],
  [ok('Content-Length: 5\r\nContent-Length: 5\r\n'), FAULTS.lengthRepeated],
  [ok('Content-Length: 5\r\nContent-Length: 6\r\n'), FAULTS.lengthRepeated],
  [ok('Content-Length: x\r\n'), FAULTS.lengthSyntax],
  [ok('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'), FAULTS.lengthAndCoding],
  [ok('Transfer-Encoding: gzip\r\n'), FAULTS.coding],
  [ok('Transfer-Encoding: gzip, chunked\r\n'), FAULTS.codingUnknown],
  ['HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', FAULTS.codingInOldVersion],
  [ok('Connection: @\r\n'), FAULTS.connectionOption],
  [ok(`A: ${'x'.repeat(3000)}\r\n`), FAULTS.headTooLarge],
  [ok('A: b\r\n'.repeat(21)), FAULTS.tooManyFields],
];

describe('a response head', () => {
  it.each(CASES.map((row) => [JSON.stringify(row[0].slice(0, 90)), row] as const))('%s', (_, row) => {
    const [raw, verdict, toHead] = row;
    const parsed = parse(Buffer.from(raw, 'latin1'), toHead);
    if ('code' in verdict) expect(parsed).toEqual(verdict);
    else expect(parsed).toMatchObject(verdict);
  });

  it('gets no other verdict from a prefix, and the same one in pieces', () => {
    for (const [raw, , toHead] of CASES) {
      const bytes = Buffer.from(raw, 'latin1');
      const whole = parse(bytes, toHead);
      for (let at = 0; at < bytes.length; at++) {
        const early = parse(bytes.subarray(0, at), toHead);
        if (early !== undefined) expect(early).toEqual(whole);
      }
      const collected = new HeadBuffer();
      for (const byte of bytes) {
        collected.append(Buffer.of(byte));
        if (collected.findEnd() !== INCOMPLETE) break;
      }
      expect(parse(collected.bytes, toHead)).toEqual(whole);
    }
  });

  it('is parsed without throwing whatever the bytes are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        parse(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n'), noise]));
      }),
    );
  });
});
