import { expect, test } from 'vitest';
import { keptAhead, pauseAfterEmpty, takeFrom, untilNext } from './bucket.ts';

const BUCKET = { interval: 10, burst: 20 };

test('a full bucket gives its burst, then what comes back and no more', () => {
  const first = takeFrom(BUCKET, 0, 100, 1_000);
  expect(first).toMatchObject({ taken: 20, left: 0 });
  expect(takeFrom(BUCKET, first.fullAt, 5, 1_000).taken).toBe(0);
  expect(untilNext(BUCKET, first.fullAt, 1_000)).toBe(10);
  expect(takeFrom(BUCKET, first.fullAt, 5, 1_009).taken).toBe(0);
  expect(takeFrom(BUCKET, first.fullAt, 5, 1_010).taken).toBe(1);
  expect(takeFrom(BUCKET, first.fullAt, 5, 1_035)).toMatchObject({ taken: 3, left: 0 });
});

test('whatever is wanted and when, a minute gives no more than its rate and one burst', () => {
  let fullAt = 0;
  let taken = 0;
  for (let now = 0; now < 60_000; now += 7) {
    const got = takeFrom(BUCKET, fullAt, (now * 31) % 9, now);
    fullAt = got.fullAt;
    taken += got.taken;
  }
  expect(taken).toBeLessThanOrEqual(6_000 + 20);
  expect(taken).toBeGreaterThan(6_000 - 20);
});

test('one that was not used is full and not more than that', () => {
  expect(takeFrom(BUCKET, -1e9, 100, 1e9).taken).toBe(20);
});

test('all gateways together keep little of what a minute allows, and each at least one', () => {
  const limit = { by: 'ip', scope: 'fleet', requests: 100, perMs: 1_000, burst: 200 } as const;
  for (const gateways of [1, 2, 3, 10])
    expect(keptAhead(limit, gateways) * gateways).toBeLessThanOrEqual(0.005 * 6_200);
  expect(keptAhead({ ...limit, requests: 10, perMs: 60_000, burst: 10 }, 3)).toBe(1);
});

test('who was told that there is nothing asks again before the bucket could be full', () => {
  const limit = { by: 'ip', scope: 'fleet', requests: 100, perMs: 1_000, burst: 200 } as const;
  expect(pauseAfterEmpty(limit, 3, 4)).toBe(50);
  expect(pauseAfterEmpty({ ...limit, burst: 4 }, 3, 4)).toBeLessThanOrEqual(20);
  expect(pauseAfterEmpty({ ...limit, requests: 10, perMs: 60_000 }, 3, 5_900)).toBe(5_900);
});

test('who used it keeps nobody out for longer than a bucket takes to fill when the clock is set back', () => {
  const { fullAt } = takeFrom(BUCKET, 0, 100, 1e9);
  expect(takeFrom(BUCKET, fullAt, 5, 1e9 - 1).taken).toBe(0);
  expect(takeFrom(BUCKET, fullAt, 5, 1e9 - 3_600_000)).toMatchObject({ taken: 5, left: 15 });
});
