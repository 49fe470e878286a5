import { NO_FEATURES } from '@usher/domain';
import { afterEach, expect, test, vi } from 'vitest';
import { Attempt } from '../plugin-lane/backends.ts';
import { row } from '../testing/fixtures.ts';
import { TestTable } from '../testing/table.ts';
import { WorkerClock } from '../worker/worker-clock.ts';
import { Attempts } from './attempts.ts';
import { WireCounters } from './counters.ts';
import { Harness } from './testing/harness.ts';
import { answering } from './testing/raw-backend.ts';
import { until } from './testing/raw-socket.ts';

const SET_BACK_MS = 5_000;
const HOUR_MS = 3_600_000;

afterEach(() => {
  vi.restoreAllMocks();
});

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
  counters.answered(200, 1, 'GET');
  counters.answered(200, -SET_BACK_MS, 'GET');
  expect(counters.read()).toMatchObject({ latencySumMs: 1 });
  expect(counters.read().requestsByClass[2]).toBe(2);
});

test('a backend that freezes is given up in time by requests from before and after the clock is set', async () => {
  for (const byMs of [-HOUR_MS, HOUR_MS]) {
    const harness = await Harness.start([answering(() => new Promise(() => {}))], {
      retry: { attempts: 0, budgetRatio: 0 },
    });
    const ask = () => harness.connect().send('GET / HTTP/1.1\r\nHost: any\r\n\r\n');
    const received = () => harness.backends[0]?.requests.length;
    ask();
    await until(() => received() === 1, 'asked before');
    harness.setClock(byMs);
    ask();
    await until(() => received() === 2, 'asked after');
    harness.advance(29_000);
    expect(harness.table.outcomes).toEqual([]);
    harness.advance(2_000);
    await until(() => harness.table.outcomes.length === 2, 'both are given up');
    expect(harness.table.outcomes).toEqual(['response_timeout', 'response_timeout']);
    await harness.stop();
  }
});

test('a worker follows a wall clock that is set, and knows by how much', () => {
  const clock = new WorkerClock();
  expect(clock.follow()).toBe(0);
  const before = clock.now();
  const wall = Date.now.bind(Date);
  vi.spyOn(Date, 'now').mockImplementation(() => wall() - HOUR_MS);
  expect(Math.round(clock.follow() / 1_000)).toBe(-HOUR_MS / 1_000);
  expect(Math.round((clock.now() - before) / 60_000)).toBe(-60);
  expect(clock.follow()).toBe(0);
});
