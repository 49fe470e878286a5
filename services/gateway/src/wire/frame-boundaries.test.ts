import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameBoundaries } from './frame-boundaries.ts';

function frame(payloadBytes: number, masked: boolean): Buffer {
  const mask = masked ? 0x80 : 0;
  const length =
    payloadBytes < 126
      ? [mask | payloadBytes]
      : payloadBytes < 65_536
        ? [mask | 126, payloadBytes >> 8, payloadBytes & 0xff]
        : [mask | 127, 0, 0, 0, 0, 0, payloadBytes >> 16, (payloadBytes >> 8) & 0xff, payloadBytes & 0xff];
  // The payload looks like frames, so that only counting tells what is one.
  return Buffer.concat([
    Buffer.from([0x82, ...length, ...(masked ? [1, 2, 3, 4] : [])]),
    Buffer.alloc(payloadBytes),
  ]);
}

const sizes = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.constantFrom(125, 126, 127, 65_535, 65_536, 70_000),
);
const frames = fc.array(fc.tuple(sizes, fc.boolean()), { minLength: 1, maxLength: 6 });

test('frames of every length form end where they end, however the bytes are split', () => {
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 40_000 })), (parts, cuts) => {
      const built = parts.map(([size, masked]) => frame(size, masked));
      const bytes = Buffer.concat(built);
      let end = 0;
      const ends = new Set(built.map((each) => (end += each.length)));
      const boundaries = new FrameBoundaries();
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        const piece = bytes.subarray(at, at + cut);
        const expected = Math.max(-1, ...[...ends].filter((each) => each > at && each <= at + piece.length));
        expect(boundaries.follow(piece, piece.length)).toBe(expected < 0 ? -1 : expected - at);
        at += piece.length;
        expect(boundaries.atBoundary).toBe(at === 0 || ends.has(at));
      }
    }),
    { numRuns: 300 },
  );
});

test('a header that comes byte by byte is no boundary before its payload is over', () => {
  const boundaries = new FrameBoundaries();
  for (const byte of frame(3, true).subarray(0, -1)) {
    expect(boundaries.follow(Uint8Array.of(byte), 1)).toBe(-1);
    expect(boundaries.atBoundary).toBe(false);
  }
  expect(boundaries.follow(Uint8Array.of(0), 1)).toBe(1);
});
