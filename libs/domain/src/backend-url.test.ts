import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseBackendUrl } from './backend-url.ts';

/** Labels that are numbers in some notation, and such that only look like it. */
const label = fc.oneof(
  fc.integer({ min: 0, max: 300 }).map(String),
  fc.nat().map((number) => `0x${number.toString(16)}`),
  fc.nat({ max: 999 }).map((number) => `0${number.toString(8)}`),
  fc.constantFrom('', '0x', '0X7F', '08', '0xg', 'a', '1a', 'localhost', '1-2'),
);
const host = fc
  .tuple(fc.array(label, { minLength: 1, maxLength: 5 }), fc.constantFrom('', '.'))
  .map(([labels, end]) => labels.join('.') + end);

test('no host is a name here and an address for who looks it up, and an address is written in one way only', () => {
  fc.assert(
    fc.property(host, (written) => {
      const origin = parseBackendUrl(`http://${written}:8080`);
      if (typeof origin === 'string') return;
      const known = URL.parse(`http://${written}:8080`)?.hostname;
      expect(known, written).toBe(written.toLowerCase());
      expect(origin.named, written).toBe(!/^[0-9.]+$/.test(known ?? ''));
    }),
    { numRuns: 2000 },
  );
});

test.each([
  '0x7f.1',
  '127.1',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '127.0.0.01',
  '0xa9fe.43518',
  '127.0.0.0x1',
  'a.b.7',
  '256.0.0.1',
  '127.0.0.1.',
  'localhost.',
  '0x7f.1.',
])('the host %s is refused', (written) => {
  expect(parseBackendUrl(`http://${written}:8080`)).toEqual(expect.any(String));
});

test.each([
  ['127.0.0.1', false],
  ['255.255.255.255', false],
  ['[::1]', false],
  ['0x7f.example', true],
  ['1and1.de', true],
  ['10.0.0.1.nip-io', true],
])('the host %s is taken', (written, named) => {
  expect(parseBackendUrl(`http://${written}:8080`)).toMatchObject({ named, port: 8080 });
});
