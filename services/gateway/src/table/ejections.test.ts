import { BUILT_IN_STRATEGIES, type PassiveSettings, type StrategyName } from '@usher/domain';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AttemptOutcome, BackendRow } from '../routing-table.ts';
import { keyed, pool, row } from '../testing/fixtures.ts';
import { START, TestTable } from '../testing/table.ts';

const passive: PassiveSettings = {
  enabled: true,
  consecutive: 5,
  failureRate: 0.5,
  windowMs: 10_000,
  requestsMin: 20,
  ejectForMs: 30_000,
  maxEjected: 0.5,
};
/** A pool that ejects and has no breaker. */
const ejecting = (changes: Parameters<typeof pool>[0] = {}) =>
  pool({ passive, breaker: { ...pool().breaker, enabled: false }, ...changes });
const rows = (ids: string) => Array.from(ids, (id) => row(id));

function fail(table: TestTable, id: string, outcome: AttemptOutcome = 'server_error', times = 5): void {
  table.attempts(table.slot(id), ...Array.from({ length: times }, () => outcome));
}

describe('a backend that fails its clients', () => {
  test('is left out for a while, and the others hear of it', () => {
    const table = new TestTable(rows('abc'), ejecting());
    fail(table, 'a', 'server_error', 4);
    expect(table.choosable).toBe('a b c');
    fail(table, 'a', 'backend_closed', 1);
    expect(table.choosable).toBe('b c');
    const told = { pool: 'web', backend: 'a', cause: 'in_a_row', requests: 5, failures: 5, times: 1 };
    expect(table.poolNews).toEqual([{ kind: 'ejected', ...told, untilMs: START + 30_000 }]);
    table.advance(29_999);
    expect(table.choosable).toBe('b c');
    table.advance(1);
    expect(table.choosable).toBe('a b c');
    expect(table.poolNews.at(-1)).toEqual({ kind: 'readmitted', pool: 'web', backend: 'a' });
  });

  test('is left out again at once, and longer, when its first request afterwards fails', () => {
    const table = new TestTable(rows('abc'), ejecting());
    fail(table, 'a');
    table.advance(30_000);
    fail(table, 'a', 'server_error', 1);
    expect(table.choosable).toBe('b c');
    table.advance(59_999);
    expect(table.choosable).toBe('b c');
    table.advance(1);
    expect(table.choosable).toBe('a b c');
  });

  test('that its breaker also stops comes back by trials, when both let it', () => {
    const table = new TestTable(rows('abc'), ejecting({ breaker: { ...pool().breaker, failures: 5 } }));
    fail(table, 'a');
    table.advance(30_000);
    expect(table.choosable).toBe('a b c');
    expect(table.slot('a').breaker.phase).toBe('half_open');
    fail(table, 'a', 'server_error', 1);
    table.advance(30_000);
    expect(table.slot('a').breaker.phase).toBe('half_open');
    expect(table.choosable).toBe('b c');
    table.advance(30_000);
    expect(table.choosable).toBe('a b c');
  });

  test('is not one whose clients leave or send too much', () => {
    const table = new TestTable(rows('abc'), ejecting());
    fail(table, 'a', 'client_closed', 100);
    expect(table.choosable).toBe('a b c');
    fail(table, 'a', 'server_error', 4);
    fail(table, 'a', 'client_closed', 100);
    expect(table.poolNews).toEqual([]);
  });

  test('is not left out when its pool cannot do without it', () => {
    const table = new TestTable(rows('abcd'), ejecting());
    for (const id of 'abcd') fail(table, id);
    expect(table.choosable).toBe('c d');
    const alone = new TestTable([row('a'), row('b', { eligible: false })], ejecting());
    fail(alone, 'a');
    expect(alone.choosable).toBe('a');
    expect(alone.poolNews).toEqual([]);
  });

  test('serves while everybody else is gone', () => {
    const table = new TestTable(rows('ab'), ejecting());
    fail(table, 'a');
    expect(table.choosable).toBe('b');
    table.set('b', { eligible: false, barred: 'draining' });
    expect(table.choosable).toBe('a');
  });

  test('is left out when another worker ejected it, until that takes it back', () => {
    const table = new TestTable(rows('abc'), ejecting());
    table.apply({ kind: 'ejected', backend: 'a', untilMs: START + 60_000, times: 2 });
    expect(table.choosable).toBe('b c');
    table.apply({ kind: 'readmitted', backend: 'a' });
    expect(table.choosable).toBe('a b c');
    expect(table.poolNews).toEqual([]);
  });
});

test.each<StrategyName>([...BUILT_IN_STRATEGIES, 'custom'])(
  'under %s an ejected backend gets no request until it is back, and then gets some',
  (strategy) => {
    const tiers = [
      {
        name: 'any',
        resources: { milliCpu: 0, memoryBytes: 0, storageBytes: 0, gpus: 0, gpuMemoryBytes: 0 },
      },
    ];
    const table = new TestTable(rows('abc'), ejecting({ strategy, tiers }));
    const served = () => {
      const counts = new Map<string, number>();
      for (let key = 0; key < 300; key++) {
        const slot = table.table.pick(table.pool, [], keyed(Math.imul(key, 0x9e3779b1) >>> 0));
        if (slot === undefined) continue;
        table.table.begin(slot);
        table.table.hear(slot, 'answered', 1, table.nowMs);
        table.table.finish(table.pool, slot, 'ok', 1, table.nowMs);
        counts.set(slot.id, (counts.get(slot.id) ?? 0) + 1);
        table.advance(10);
      }
      return counts;
    };
    fail(table, 'a');
    expect(served().has('a')).toBe(false);
    table.advance(30_000);
    expect(served().get('a') ?? 0).toBeGreaterThan(0);
  },
);

/** What may happen to a pool of six. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ end: fc.nat(5), bad: fc.boolean(), times: fc.integer({ min: 1, max: 8 }) }),
  },
  { weight: 2, arbitrary: fc.record({ wait: fc.integer({ min: 1, max: 90_000 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      set: fc.nat(5),
      to: fc.constantFrom<BackendRow['barred']>('ok', 'unhealthy', 'draining', 'disabled'),
    }),
  },
);

test('whatever happens, never more than half of a pool is left out for its failures, and never the last', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(0.1, 0.3, 0.5), (steps, maxEjected) => {
      const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
      const table = new TestTable(rows('abcdef'), ejecting({ passive: { ...passive, maxEjected } }));
      for (const each of steps) {
        if ('wait' in each) table.advance(each.wait);
        else if ('set' in each) table.set(ids[each.set]!, { barred: each.to, eligible: each.to === 'ok' });
        else fail(table, ids[each.end]!, each.bad ? 'server_error' : 'ok', each.times);
        const { slots } = table.pool;
        const inService = slots.filter(({ barred }) => barred === 'ok' || barred === 'unhealthy');
        expect(slots.filter(({ ejected }) => ejected).length).toBeLessThanOrEqual(inService.length / 2);
        if (slots.some(({ eligible }) => eligible)) expect(table.choosable).not.toBe('');
      }
      table.advance(300_000);
      for (const id of ids) table.set(id);
      expect(table.choosable).toBe('a b c d e f');
    }),
    { numRuns: 300 },
  );
});
