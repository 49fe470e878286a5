import { expect, test } from 'vitest';
import { warmth } from './slow-start.ts';

test('a slow start begins with a tenth and ends with all, in a straight line', () => {
  expect([0, 1_000, 3_000, 15_000, 29_999, 30_000, 90_000].map((ms) => warmth(ms, 30_000))).toEqual([
    0.1,
    0.1,
    0.1,
    0.5,
    29_999 / 30_000,
    1,
    1,
  ]);
  expect(warmth(0, 0)).toBe(1);
});
