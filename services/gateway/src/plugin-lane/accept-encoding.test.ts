import { expect, test } from 'vitest';
import { preferredCoding } from './accept-encoding.ts';

test.each([
  [undefined, undefined],
  ['', undefined],
  ['gzip, deflate, br, zstd', 'zstd'],
  ['gzip, br', 'br'],
  ['x-gzip', 'gzip'],
  ['GZIP;Q=0.5, BR;q=0.2', 'gzip'],
  ['zstd;q=0.1, br;q=0.11, gzip;q=0.109', 'br'],
  ['gzip ; q=1.000 , zstd ; q=0.999', 'gzip'],
  ['*', 'zstd'],
  ['*;q=0.5, gzip', 'gzip'],
  ['zstd;q=0, *', 'br'],
  ['*;q=0', undefined],
  ['zstd;q=0, br;q=0.0, gzip;q=0.000', undefined],
  ['identity, gzip;q=0.9', undefined],
  ['identity;q=0, gzip;q=0.1', 'gzip'],
  ['deflate, compress', undefined],
  // No weight is more than 1, and what is none counts as nothing.
  ['gzip;q=7, br;q=0.1', 'br'],
  ['gzip;q=a, br;q=-1, zstd;q=NaN', undefined],
  [',,;,;q=1,', undefined],
])('of %j the best is %s', (accepted, coding) => {
  expect(preferredCoding(accepted, ['zstd', 'br', 'gzip'])).toBe(coding);
});

test('what a client likes the same is chosen by the order that was given', () => {
  expect(preferredCoding('zstd, br, gzip', ['gzip', 'zstd'])).toBe('gzip');
  expect(preferredCoding('br', ['gzip', 'zstd'])).toBeUndefined();
});
