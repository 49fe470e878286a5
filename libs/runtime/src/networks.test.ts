import fc from 'fast-check';
import { expect, test } from 'vitest';
import { networkList } from './networks.ts';

test.each([
  ['10.0.0.0/8', '10.1.2.3', true],
  ['10.0.0.0/8', '11.0.0.0', false],
  ['10.0.0.0/31', '10.0.0.1', true],
  ['10.0.0.0/31', '10.0.0.2', false],
  ['192.0.2.7', '192.0.2.7', true],
  ['192.0.2.7/32', '192.0.2.8', false],
  ['0.0.0.0/0', '255.255.255.255', true],
  // One address, two ways to write it.
  ['10.0.0.0/8', '::ffff:10.1.2.3', true],
  ['10.0.0.0/8', '::FFFF:a01:203', true],
  ['10.0.0.0/8', '0:0:0:0:0:ffff:a01:203', true],
  ['::ffff:10.0.0.0/104', '10.1.2.3', true],
  ['::ffff:10.0.0.0/104', '11.1.2.3', false],
  ['::ffff:0:0/96', '192.0.2.1', true],
  ['0.0.0.0/0', '::ffff:1.2.3.4', true],
  // All of one family is nothing of the other.
  ['::/0', '10.1.2.3', false],
  ['::/0', '::ffff:10.1.2.3', false],
  ['0.0.0.0/0', '::1', false],
  ['::/0', '::1', true],
  // Not a mapped address, though IPv4 digits stand in it.
  ['10.0.0.0/8', '::10.1.2.3', false],
  ['10.0.0.0/8', '64:ff9b::10.1.2.3', false],
  ['fd00::/8', 'fd12::1', true],
  ['fd00::/8', 'fe00::1', false],
  ['2001:db8::/127', '2001:db8::1', true],
  ['2001:db8::/127', '2001:db8::2', false],
  ['::/0', 'fe80::1%eth0', true],
  ['fe80::/10', 'fe80::1%127.0.0.1', true],
  // Other programs read these as 127.0.0.1.
  ['127.0.0.0/8', '127.1', false],
  ['127.0.0.0/8', '0x7f000001', false],
  ['127.0.0.0/8', '2130706433', false],
  ['127.0.0.0/8', '0177.0.0.1', false],
  ['127.0.0.0/8', '127.0.0.1 ', false],
  ['127.0.0.0/8', '127.0.0.1:80', false],
  ['127.0.0.0/8', 'localhost', false],
  ['127.0.0.0/8', '', false],
])('of the network %s, %s is a part: %s', (network, address, expected) => {
  expect(networkList([network])(address)).toBe(expected);
});

test.each([
  '10.0.0.0/33',
  '10.0.0.0/-1',
  '10.0.0.0/',
  '10.0.0.0/8/8',
  '10.0.0.0/8.0',
  '10.0.0.0/0x8',
  '10.0.0.0/255.0.0.0',
  '10.0.0/8',
  '010.0.0.0/8',
  'fd00::/129',
  '::ffff:10.0.0.0/95',
  '/8',
  'localhost',
  '*',
  '',
])('%j is no network', (network) => {
  expect(() => networkList([network])).toThrow();
});

const written = (bits: number) => [24, 16, 8, 0].map((by) => (bits >>> by) & 255).join('.');

test('a network has exactly the addresses that share its first bits', () => {
  const address = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  fc.assert(
    fc.property(address, fc.nat(32), fc.nat(32), address, (base, prefix, common, other) => {
      // Two random addresses hardly ever share bits.
      const keep = common === 0 ? 0 : (-1 << (32 - common)) >>> 0;
      const asked = ((base & keep) | (other & ~keep)) >>> 0;
      const mask = prefix === 0 ? 0 : (-1 << (32 - prefix)) >>> 0;
      const isIn = networkList([`${written((base & mask) >>> 0)}/${prefix}`]);
      expect(isIn(written(asked))).toBe((asked & mask) >>> 0 === (base & mask) >>> 0);
      expect(isIn(`::ffff:${written(asked)}`)).toBe(isIn(written(asked)));
    }),
  );
});
