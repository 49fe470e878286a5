import { expect, test } from 'vitest';
import { ClientCensus } from './client-census.ts';

test('an address has as many connections as it is allowed, and gets the next one when one has left', () => {
  const census = new ClientCensus();
  const first = census.enter('192.0.2.1', 2);
  census.enter('192.0.2.1', 2);
  expect(census.enter('192.0.2.1', 2)).toBeUndefined();
  expect(census.enter('192.0.2.2', 2)).toBeDefined();
  census.leave(first!);
  expect(census.enter('192.0.2.1', 2)).toBeDefined();
});

test.each([
  ['2001:db8:0:1::1', '2001:db8:0:1:ffff::2', true],
  ['2001:DB8::1', '2001:db8:0:0:5::', true],
  ['::1', '::2', true],
  ['fe80::1%eth0', 'fe80::2%eth0', true],
  ['1::', '1:0:0:0:9:9:9:9', true],
  ['64:ff9b::192.0.2.1', '64:ff9b::198.51.100.1', true],
  ['2001:db8:0:1::1', '2001:db8:0:2::1', false],
  ['1:2:3:4::', '::1:2:3:4', false],
])('%s and %s are one client: %s', (one, other, same) => {
  const census = new ClientCensus();
  census.enter(one, 1);
  expect(census.enter(other, 1) === undefined).toBe(same);
});
