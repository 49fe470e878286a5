import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { route } from '../testing/fixtures.ts';
import { RATE_CELLS, RateCells } from './rate-cells.ts';
import { type RateRule, ruleOf } from './rate-rule.ts';

const START = Date.UTC(2026, 5, 1);

function rule(requests: number, perMs: number, burst: number): RateRule {
  const rateLimit = { by: 'ip', scope: 'local', requests, perMs, burst } as const;
  return ruleOf(route({ id: 'all', path: '/*', pool: 'web' }), { rateLimit })!;
}

function cellsFor(...rules: readonly RateRule[]): RateCells {
  const cells = new RateCells();
  cells.seed(4711);
  cells.setRules(rules);
  return cells;
}

const passes = (cells: RateCells, of: RateRule, key: string, nowMs: number): boolean =>
  cells.takeAlone(of.id, key, of, nowMs) === 'allowed';

test('a client gets its burst and then its rate, to the request', () => {
  const limit = rule(100, 1_000, 200);
  const cells = cellsFor(limit);
  let passed = 0;
  for (let ms = 0; ms < 60_000; ms++) if (passes(cells, limit, 'a', START + ms)) passed += 1;
  expect(passed).toBe(200 + 5_999);
});

test('what is left and when there is more is told', () => {
  const limit = rule(10, 1_000, 3);
  const cells = cellsFor(limit);
  passes(cells, limit, 'a', START);
  expect([cells.left, Math.round(cells.afterMs)]).toEqual([2, 100]);
  passes(cells, limit, 'a', START);
  passes(cells, limit, 'a', START);
  expect([cells.left, Math.round(cells.afterMs)]).toEqual([0, 300]);
  expect(passes(cells, limit, 'a', START)).toBe(false);
  expect([cells.left, Math.round(cells.afterMs)]).toEqual([0, 100]);
});

test('a rate of a few in an hour and one of a million a second are kept as exactly', () => {
  for (const [requests, perMs, stepMs] of [
    [3, 3_600_000, 1_000],
    [1_000_000, 1_000, 0.0001],
  ] as const) {
    const limit = rule(requests, perMs, 10);
    const cells = cellsFor(limit);
    let passed = 0;
    for (let step = 0; step < 36_000; step++)
      if (passes(cells, limit, 'a', START + step * stepMs)) passed += 1;
    const expected = 10 + (36_000 * stepMs * requests) / perMs;
    expect(Math.abs(passed - expected)).toBeLessThanOrEqual(Math.max(1, expected / 1_000));
  }
});

test('clients and rules have nothing to do with each other', () => {
  const [one, other] = [rule(1, 60_000, 1), rule(1, 60_000, 2)];
  const cells = cellsFor(one, other);
  expect(passes(cells, one, 'a', START)).toBe(true);
  expect(passes(cells, one, 'b', START)).toBe(true);
  expect(passes(cells, other, 'a', START)).toBe(true);
  expect(passes(cells, one, 'a', START)).toBe(false);
});

test('a flood of new clients does not fill the bucket of one that asks for much', () => {
  const limit = rule(100, 60_000, 100);
  const cells = cellsFor(limit);
  const heavy = Array.from({ length: 1_000 }, (_, index) => `10.1.${index >> 8}.${index & 255}`);
  for (const key of heavy) while (passes(cells, limit, key, START));
  for (let each = 0; each < 4 * RATE_CELLS; each++)
    passes(cells, limit, `2001:db8:${each.toString(16)}`, START + 1);
  const refilled = heavy.filter((key) => passes(cells, limit, key, START + 2));
  expect(refilled).toEqual([]);
});

test('a client whose bucket is full again makes room without losing anything', () => {
  const limit = rule(10, 1_000, 10);
  const cells = cellsFor(limit);
  for (let each = 0; each < RATE_CELLS; each++) passes(cells, limit, `a${each}`, START);
  const heavy = 'b';
  while (passes(cells, limit, heavy, START + 2_000));
  for (let each = 0; each < RATE_CELLS; each++) passes(cells, limit, `c${each}`, START + 2_001);
  expect(passes(cells, limit, heavy, START + 2_002)).toBe(false);
});

test('threads that count at once let no request too many through', async () => {
  const limit = rule(1, 3_600_000, 10_000);
  const cells = cellsFor(limit);
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.module).then(({ RateCells }) => {
      const cells = new RateCells(workerData.shared);
      let passed = 0;
      for (let each = 0; each < 8_000; each++)
        if (cells.takeAlone(workerData.limit.id, 'a', workerData.limit, workerData.nowMs) === 'allowed') passed += 1;
      parentPort.postMessage(passed);
    });`;
  passes(cells, limit, 'a', START);
  const module = new URL('./rate-cells.ts', import.meta.url).href;
  const counting = Array.from({ length: 3 }, () => {
    const workerData = { module, shared: cells.shared, limit, nowMs: START };
    const worker = new Worker(code, { eval: true, workerData, execArgv: [] });
    return new Promise<number>((resolve, reject) => worker.once('message', resolve).once('error', reject));
  });
  const passed = await Promise.all(counting);
  expect(passed.reduce((sum, count) => sum + count, 1)).toBe(10_000);
});

test('a clock that is set back by an hour keeps nobody out for an hour', () => {
  const limit = rule(5, 60_000, 5);
  const cells = cellsFor(limit);
  for (let each = 0; each < 5; each++) passes(cells, limit, 'a', START);
  expect(passes(cells, limit, 'a', START - 1_000)).toBe(false);
  expect(passes(cells, limit, 'a', START - 3_600_000)).toBe(true);
  cells.takeInHand(limit, 'b', 1, START);
  cells.putInHand(limit.id, 'b', 0, 0, 12_000, START);
  expect(cells.takeInHand(limit, 'b', 1, START)).toBe('limited');
  expect(cells.takeInHand(limit, 'b', 1, START - 3_600_000)).toBe('ask');
});
