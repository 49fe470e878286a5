import { expect, test } from 'vitest';
import { averageLatency, worthAnEvent } from './latency-rules.ts';

test('the average starts at the first value and follows the others slowly', () => {
  const first = averageLatency(undefined, 10);
  expect(first).toBe(10);
  expect(averageLatency(first, 20)).toBeCloseTo(13);
});

test('an event is worth it when the change is large in share and in size, and the last one is a while ago', () => {
  expect(worthAnEvent(12.6, 10, 10_000)).toBe(true);
  expect(worthAnEvent(7, 10, 10_000)).toBe(true);
  expect(worthAnEvent(12.4, 10, 10_000)).toBe(false);
  expect(worthAnEvent(1.9, 1, 10_000)).toBe(false);
  expect(worthAnEvent(100, 10, 9_999)).toBe(false);
});
