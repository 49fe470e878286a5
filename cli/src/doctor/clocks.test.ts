import { expect, test } from 'vitest';
import { judgeClock, judgeWriters } from './clocks.ts';

const reading = (theirMs: number, tookMs = 0) => ({
  askedMs: 100_000,
  answeredMs: 100_000 + tookMs,
  theirMs,
});

test('a clock that differs by less than the answer took agrees', () => {
  expect(judgeClock('NATS', reading(100_900, 4_000))).toMatchObject({ level: 'ok' });
  expect(judgeClock('NATS', reading(100_020, 40)).message).toBe('agrees with NATS to 20 ms');
});

test('a clock that differs says which way, and for much it is an error', () => {
  expect(judgeClock('Redis', reading(103_000))).toMatchObject({
    level: 'warning',
    message: 'is 3.0 s behind Redis',
  });
  expect(judgeClock('Redis', reading(100_000 - 3_600_000))).toMatchObject({
    level: 'error',
    message: 'is 60 min ahead of Redis',
    remedy: expect.stringContaining('time servers'),
  });
});

test('a clock that shows seconds is not blamed for what it does not show', () => {
  expect(judgeClock('backend b', reading(99_001), 1_000).level).toBe('ok');
  expect(judgeClock('backend b', reading(97_000), 1_000).level).toBe('warning');
});

test('who dates events after they were stored is ahead, who dates them long before is behind', () => {
  const lagMs = new Map([
    ['usher/gateway/a', 30],
    ['usher/gateway/b', -4_000],
    ['usher/health/c', 400_000],
  ]);
  expect(judgeWriters(lagMs).map(({ level, message }) => [level, message])).toEqual([
    ['warning', 'of usher/gateway/b is 4.0 s ahead of NATS'],
    ['warning', 'of usher/health/c is 7 min behind NATS, or its events are late by that'],
  ]);
});
