import { isIP, isIPv4 } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressText, newAddressBits, readAddress } from './address-bits.ts';

function read(text: string): string | undefined {
  const bits = newAddressBits();
  return readAddress(text, bits) ? addressText(bits) : undefined;
}

test('an address of either kind is read as what it is', () => {
  expect(read('0.0.0.0')).toBe('0.0.0.0');
  expect(read('255.254.253.252')).toBe('255.254.253.252');
  expect(read('::')).toBe('0:0:0:0:0:0:0:0');
  expect(read('::1')).toBe('0:0:0:0:0:0:0:1');
  expect(read('2001:db8::')).toBe('2001:db8:0:0:0:0:0:0');
  expect(read('2001:DB8:0:1:2:3:4:ffff')).toBe('2001:db8:0:1:2:3:4:ffff');
  expect(read('fe80::1%eth0')).toBe('fe80:0:0:0:0:0:0:1');
});

test('an IPv4 address that came over an IPv6 socket is the IPv4 address', () => {
  expect(read('::ffff:192.0.2.1')).toBe('192.0.2.1');
  expect(read('::ffff:c000:201')).toBe('192.0.2.1');
  expect(read('64:ff9b::192.0.2.1')).toBe('64:ff9b:0:0:0:0:c000:201');
});

test('what is no address is none', () => {
  const texts = ['', '1', '1.2.3', '1.2.3.4.5', '1.2.3.256', '1..2.3', '1.2.3.4%eth0', 'a.b.c.d', ' 1.2.3.4'];
  const long = [
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    ':1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7:',
    ':',
    ':::',
  ];
  const odd = [
    '12345::',
    'g::',
    '1:2:3:4:5:6:7:1.2.3.4',
    '::1.2.3',
    '::1.2.3.4:5',
    '1:2:3:4:5:6:7::8',
    'unknown',
  ];
  for (const text of [...texts, ...long, ...odd]) expect(read(text), text).toBeUndefined();
});

test('every address that Node takes for one is read, and nothing else', () => {
  const part = fc.constantFrom('0', '1', '25', '256', 'ab', 'FFFF', '10000', ':', '::', '.', '1.2.3.4', '');
  const near = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''));
  const joined = fc.array(part, { maxLength: 9 }).map((parts) => parts.join(':'));
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), near, joined), (text) => {
      expect(read(text) !== undefined).toBe(isIP(text) !== 0);
      if (isIPv4(text)) expect(read(text)).toBe(text);
    }),
    { numRuns: 20_000 },
  );
});
