import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from './clock.ts';

const days = (count: number) => count * 86_400_000;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

test('it tells the time, calls back once after a delay and repeatedly in intervals', () => {
  const clock = systemClock();
  const calls: string[] = [];
  clock.after(20, () => calls.push(`after at ${clock.now()}`));
  const repeating = clock.every(15, () => calls.push(`every at ${clock.now()}`));
  vi.advanceTimersByTime(40);
  repeating.cancel();
  vi.advanceTimersByTime(100);
  expect(calls).toEqual(['every at 1015', 'after at 1020', 'every at 1030']);
});

test('a cancelled callback never comes', () => {
  let called = false;
  const timer = systemClock().after(10, () => {
    called = true;
  });
  timer.cancel();
  vi.advanceTimersByTime(20);
  expect(called).toBe(false);
});

test('a delay longer than a Node timer takes is kept, and can be cancelled late', () => {
  const clock = systemClock();
  const calls: number[] = [];
  clock.after(days(30), () => calls.push(clock.now()));
  const cancelled = clock.after(days(40), () => calls.push(0));
  vi.advanceTimersByTime(days(29));
  expect(calls).toEqual([]);
  cancelled.cancel();
  vi.advanceTimersByTime(days(12));
  expect(calls).toEqual([1_000 + days(30)]);
});
