import { NO_FEATURES } from '@usher/domain';
import { expect, test } from 'vitest';
import { Attempt } from '../plugin-lane/backends.ts';
import { row } from '../testing/fixtures.ts';
import { TestTable } from '../testing/table.ts';
import { Attempts } from './attempts.ts';
import { WireCounters } from './counters.ts';

const SET_BACK_MS = 5_000;

// An observation with a sum below 0 is none: the log sets it aside, and all that it says with it.
test('an attempt during which the clock is set back took no time, in both lanes', () => {
  const test = new TestTable([row('b1')]);
  const attempts = new Attempts(test.table, test.pool, NO_FEATURES, { path: '/' });
  attempts.first(test.nowMs);
  const slot = test.slot('b1');
  test.table.begin(slot);
  const now = () => test.nowMs;
  const placed = { table: test.table, pool: test.pool, features: NO_FEATURES, tried: [], now };
  const attempt = new Attempt(placed, slot, undefined);
  test.nowMs -= SET_BACK_MS;
  attempts.finish('ok', test.nowMs);
  attempt.end('ok');
  expect(test.table.observe()).toMatchObject([{ backend: 'b1', requests: 2, latencySumMs: 0 }]);
});

test('a request that was answered after the clock was set back is counted as one that took no time', () => {
  const counters = new WireCounters();
  counters.answered(200, 1);
  counters.answered(200, -SET_BACK_MS);
  expect(counters.read()).toMatchObject({ latencySumMs: 1 });
  expect(counters.read().requestsByClass[2]).toBe(2);
});
