import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkedScanner, FAULTS, FAULTY, type HttpFault } from './index.ts';

interface Scanned {
  readonly consumed: number;
  readonly complete: boolean;
  readonly payload: string;
  readonly fault: HttpFault | undefined;
}

function scan(pieces: readonly Uint8Array[]): Scanned {
  let payload = '';
  const scanner = new ChunkedScanner((bytes, start, end) => {
    payload += Buffer.from(bytes.subarray(start, end)).toString('latin1');
  });
  let consumed = 0;
  for (const piece of pieces) {
    const at = scanner.scan(piece, 0, piece.length);
    if (at === FAULTY) return { consumed, complete: false, payload, fault: scanner.fault };
    consumed += at;
  }
  return { consumed, complete: scanner.complete, payload, fault: undefined };
}

const whole = (raw: string): Scanned => scan([Buffer.from(raw, 'latin1')]);
const bytewise = (raw: string): Scanned =>
  scan(Array.from(Buffer.from(raw, 'latin1'), (byte) => Buffer.of(byte)));

const VALID: readonly (readonly [raw: string, payload: string])[] = [
  ['0\r\n\r\n', ''],
  ['000\r\n\r\n', ''],
  ['3\r\nabc\r\n0\r\n\r\n', 'abc'],
  ['3\r\n\r\n0\r\n0\r\n\r\n', '\r\n0'],
  ['0a\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n', '0123456789x'],
  ['A\r\n0123456789\r\n0\r\n\r\n', '0123456789'],
  ['3;a=b\r\nabc\r\n0;last\r\n\r\n', 'abc'],
  ['3;a="b;\\""\r\nabc\r\n0\r\n\r\n', 'abc'],
  ['3 ; a = "b c"\r\nabc\r\n0\r\n\r\n', 'abc'],
  ['3;a="b";c ;d\t=\te\r\nabc\r\n0\r\n\r\n', 'abc'],
  ['0\r\nA: b\r\nC:\r\n\r\n', ''],
  ['0\r\nX-Request-Id: b\r\nHosts: a\r\nExpires: 0\r\n\r\n', ''],
  [`0\r\n${'a'.repeat(200)}: b\r\n\r\n`, ''],
];

const INVALID: readonly (readonly [raw: string, fault: HttpFault])[] = [
  ['\r\n', FAULTS.chunkSize],
  [' 3\r\nabc\r\n', FAULTS.chunkSize],
  ['g\r\n', FAULTS.chunkSize],
  ['-1\r\n', FAULTS.chunkSize],
  ['+3\r\n', FAULTS.chunkSize],
  ['0x3\r\n', FAULTS.chunkSize],
  ['3\nabc', FAULTS.chunkSize],
  ['3\r\r\n', FAULTS.chunkSize],
  ['3_0\r\n', FAULTS.chunkSize],
  ['00000000000003\r\n', FAULTS.chunkSize],
  ['ffffffffffffffff\r\n', FAULTS.chunkSize],
  ['3 \r\nabc\r\n', FAULTS.chunkExtension],
  ['3 4\r\nabc\r\n', FAULTS.chunkExtension],
  ['3;a\nabc', FAULTS.chunkExtension],
  ['3;a="b\r\n', FAULTS.chunkExtension],
  ['3;a=\x00\r\n', FAULTS.chunkExtension],
  [`3;${'a'.repeat(300)}\r\n`, FAULTS.chunkExtension],
  ['3;a\rb\r\n', FAULTS.chunkSize],
  ['3;\r\nabc\r\n', FAULTS.chunkExtension],
  ['3;;a\r\nabc\r\n', FAULTS.chunkExtension],
  ['3;=b\r\nabc\r\n', FAULTS.chunkExtension],
  ['3;a=\r\nabc\r\n', FAULTS.chunkExtension],
  ['3;a=b=c\r\nabc\r\n', FAULTS.chunkExtension],
  ['3;a b\r\nabc\r\n', FAULTS.chunkExtension],
  ['3;a=b c\r\nabc\r\n', FAULTS.chunkExtension],
  ['3;a="b"c\r\nabc\r\n', FAULTS.chunkExtension],
  ['3;a=b"c"\r\nabc\r\n', FAULTS.chunkExtension],
  ['3;"a"\r\nabc\r\n', FAULTS.chunkExtension],
  ['3;a="b\\\n"\r\nabc\r\n', FAULTS.chunkExtension],
  ['3;a \r\nabc\r\n', FAULTS.chunkExtension],
  ['3\r\nabcd\r\n', FAULTS.chunkEnd],
  ['3\r\nabc\n', FAULTS.chunkEnd],
  ['3\r\nabc\rx', FAULTS.chunkEnd],
  ['3\r\nabc0\r\n\r\n', FAULTS.chunkEnd],
  ['0\r\nA b: c\r\n\r\n', FAULTS.trailer],
  ['0\r\n: c\r\n\r\n', FAULTS.trailer],
  ['0\r\nA: b\nC: d\r\n\r\n', FAULTS.trailer],
  ['0\r\nA: b\r\n c\r\n\r\n', FAULTS.trailer],
  ['0\r\nA: \x00\r\n\r\n', FAULTS.trailer],
  ['0\r\nA\r\n\r\n', FAULTS.trailer],
  ['0\r\nContent-Length: 5\r\n\r\n', FAULTS.trailerField],
  ['0\r\nA: b\r\ntransfer-encoding:chunked\r\n\r\n', FAULTS.trailerField],
  ['0\r\nHOST: b\r\n\r\n', FAULTS.trailerField],
  ['0\r\nX-Forwarded-For: b\r\n\r\n', FAULTS.trailerField],
  ['0\r\nProxy-Authentication-Info: b\r\n\r\n', FAULTS.trailerField],
  ['0\r\n\n', FAULTS.trailer],
  ['0\r\n\rx', FAULTS.trailer],
  [`0\r\nA: ${'x'.repeat(9000)}\r\n\r\n`, FAULTS.trailer],
];

describe('a chunked body', () => {
  it.each(VALID)('%j ends where it ends', (raw, payload) => {
    for (const scanned of [whole(raw), bytewise(raw)]) {
      expect(scanned).toEqual({ consumed: raw.length, complete: true, payload, fault: undefined });
    }
  });

  it.each(INVALID)('%j is refused', (raw, fault) => {
    expect(whole(raw).fault).toEqual(fault);
    expect(bytewise(raw).fault).toEqual(fault);
  });

  it('leaves what follows it alone', () => {
    expect(whole('1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1\r\n')).toMatchObject({ consumed: 11, complete: true });
  });

  it('is not complete before its last byte', () => {
    for (const [raw] of VALID) {
      for (let at = 0; at < raw.length; at++) {
        expect(whole(raw.slice(0, at))).toMatchObject({ complete: false, fault: undefined });
      }
    }
  });

  it('gives back the payload of any chunks however they are split', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 10 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 60 }),
        (chunks, sizes) => {
          const parts = chunks.flatMap((chunk) => [`${chunk.length.toString(16)}\r\n`, chunk, '\r\n']);
          const bytes = Buffer.concat([...parts, '0\r\n\r\n'].map((part) => Buffer.from(part as string)));
          const pieces: Buffer[] = [];
          for (let at = 0, n = 0; at < bytes.length; n++) {
            const size = sizes[n % sizes.length] ?? 1;
            pieces.push(bytes.subarray(at, at + size));
            at += size;
          }
          const scanned = scan(pieces);
          expect(scanned.complete).toBe(true);
          expect(scanned.payload).toBe(Buffer.concat(chunks).toString('latin1'));
        },
      ),
    );
  });
});
