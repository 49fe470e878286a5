import { NO_FEATURES } from '@usher/domain';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BackendSlot } from '../routing-table.ts';
import { policy, pool, route, row } from '../testing/fixtures.ts';
import { START, TestTable } from '../testing/table.ts';

describe('picking', () => {
  test('uses the eligible backends of the pool of the matching route, in turn', () => {
    const { table, pool } = new TestTable([row('a'), row('b')]);
    expect([1, 2, 3].map(() => table.pick(pool, [], NO_FEATURES)?.id)).toEqual(['a', 'b', 'a']);
  });

  test('stops choosing a backend at once when the log says that it is not eligible', () => {
    const harness = new TestTable([row('a'), row('b')]);
    harness.set('a', { eligible: false });
    expect(harness.choosable).toBe('b');
    harness.set('b', { eligible: false });
    expect(harness.table.pick(harness.pool, [], NO_FEATURES)).toBeUndefined();
    harness.set('a');
    expect(harness.choosable).toBe('a');
  });

  test('falls back to last resorts only when nobody is eligible', () => {
    const harness = new TestTable([row('a'), row('b', { eligible: false, lastResort: true })]);
    expect(harness.choosable).toBe('a');
    harness.set('a', { eligible: false });
    expect(harness.choosable).toBe('b');
  });

  test('does not choose a weight of 0, eligible or not', () => {
    const harness = new TestTable([row('a', { weight: 0 }), row('b', { eligible: false, lastResort: true })]);
    expect(harness.choosable).toBe('b');
  });

  test('follows a change of strategy and of weights', () => {
    const harness = new TestTable([row('a'), row('b')]);
    harness.apply({ kind: 'pool', settings: pool({ strategy: 'weighted_round_robin' }) });
    harness.set('a', { weight: 3 });
    const picks = Array.from({ length: 4 }, () => harness.table.pick(harness.pool, [], NO_FEATURES)?.id).join(
      '',
    );
    expect(picks).toBe('aaba');
  });
});

describe('routes', () => {
  test('send a request to the plugin lane when they have plugins', () => {
    const harness = new TestTable([row('a')]);
    const plugins = [{ name: 'gzip', options: {} }];
    harness.apply({
      kind: 'policy',
      policy: policy({
        routes: [
          route({ id: 'zip', path: '/zip/*', pool: 'web', plugins }),
          route({ id: 'all', path: '/*', pool: 'web' }),
        ],
      }),
    });
    expect(harness.table.match('h', '/zip/1')).toMatchObject({ lane: 'plugin', settings: { id: 'zip' } });
    expect(harness.table.match('h', '/')).toMatchObject({ lane: 'wire', settings: { id: 'all' } });
  });

  test('of a pool that is not declared find no backend and say why, even if there are some', () => {
    const harness = new TestTable([]);
    const refusals: string[][] = [];
    const choice = () => {
      const found = harness.table.pick(harness.pool, [], NO_FEATURES);
      const guest = { onRoom: () => {}, onNoRoom: (...told: string[]) => refusals.push(told) };
      if (found === undefined) harness.table.wait(harness.pool, [], NO_FEATURES, guest).begin();
      return found?.id;
    };
    const undeclared = ['no_backend', 'the route names a pool that is not declared'];
    harness.apply({
      kind: 'policy',
      policy: policy({ routes: [route({ id: 'x', path: '/*', pool: 'later' })] }),
    });
    expect(choice()).toBeUndefined();
    harness.apply({ kind: 'backend', row: row('a', { pool: 'later' }) });
    expect(choice()).toBeUndefined();
    expect(harness.table.placing.explain(harness.pool, NO_FEATURES, { path: '/' })).toMatchObject({
      among: null,
      outcome: 'no_backend',
      candidates: [],
      detail: undeclared[1],
    });
    harness.apply({ kind: 'pool', settings: pool({ id: 'later', reserve: 'request' }) });
    expect(harness.pool.eligible).toHaveLength(1);
    harness.apply({ kind: 'pool', settings: pool({ id: 'later' }) });
    expect(choice()).toBe('a');
    harness.apply({ kind: 'backend_removed', backend: 'a' });
    expect(choice()).toBeUndefined();
    harness.apply({ kind: 'pool_removed', pool: 'later' });
    harness.apply({ kind: 'backend', row: row('b', { pool: 'later' }) });
    expect(choice()).toBeUndefined();
    expect(refusals).toEqual([undeclared, undeclared, ['no_backend', ''], undeclared]);
  });
});

describe('slots', () => {
  test('keep their counters, requests under way and breaker through changes of weight, eligibility and pool settings', () => {
    const harness = new TestTable([row('a'), row('b')]);
    const slot = harness.slot('a');
    harness.table.begin(slot);
    harness.attempts(slot, 'ok', 'server_error');
    harness.set('a', { weight: 7, eligible: false });
    harness.apply({ kind: 'pool', settings: pool({ strategy: 'p2c' }) });
    expect(harness.slot('a')).toBe(slot);
    expect(slot).toMatchObject({ weight: 7, inFlight: 1, requests: 2, failures: 1 });
    expect(slot.breaker.failuresInRow).toBe(1);
  });

  test('of a removed backend are chosen no more while their requests under way are still reported', () => {
    const harness = new TestTable([row('a'), row('b')]);
    const slot = harness.slot('a');
    harness.table.begin(slot);
    harness.apply({ kind: 'backend_removed', backend: 'a' });
    expect(harness.choosable).toBe('b');
    expect(harness.table.observe()).toMatchObject([{ backend: 'a', inFlight: 1 }]);
    harness.table.finish(harness.pool, slot, 'ok', 12, START);
    expect(harness.table.observe()).toEqual([
      { backend: 'a', requests: 1, failures: 0, latencySumMs: 12, inFlight: -1 },
    ]);
    expect(harness.table.observe()).toEqual([]);
  });

  test('are new when a backend moves to another address, and no index is used twice', () => {
    const harness = new TestTable([row('a'), row('b')]);
    const before = harness.slot('a');
    harness.set('a', { url: 'http://127.0.0.2:80' });
    const after = harness.slot('a');
    const endpoint = { host: '127.0.0.2', port: 80, authority: '127.0.0.2' };
    expect(after).toMatchObject({ endpoint, requests: 0 });
    expect(before).toMatchObject({ endpoint: { host: '127.0.0.1', port: 9 } });
    expect([0, 1]).not.toContain(after.index);
  });

  test('move with their backend to another pool', () => {
    const harness = new TestTable([row('a'), row('b')]);
    harness.set('a', { pool: 'other' });
    expect(harness.choosable).toBe('b');
  });
});

describe('retries', () => {
  test('are taken from the budget of their pool', () => {
    const { table, pool } = new TestTable([row('a')]);
    const taken = Array.from({ length: 5 }, () => table.takeRetry(pool, START));
    expect(taken).toEqual([true, true, true, false, false]);
  });
});

describe('any sequence of attempts and changes', () => {
  const ids = ['a', 'b', 'c'] as const;
  const outcomes = ['ok', 'server_error', 'connect_failed', 'client_closed'] as const;
  const step = fc.oneof(
    fc.record({ kind: fc.constant('begin' as const) }),
    fc.record({ kind: fc.constant('finish' as const), outcome: fc.constantFrom(...outcomes) }),
    fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 20_000 }) }),
    fc.record({
      kind: fc.constant('set' as const),
      id: fc.constantFrom(...ids),
      eligible: fc.boolean(),
      halfOpen: fc.boolean(),
      port: fc.integer({ min: 1, max: 2 }),
    }),
    fc.record({ kind: fc.constant('remove' as const), id: fc.constantFrom(...ids) }),
  );

  test('leaves counters balanced, reports complete and a pool that always has someone while someone is eligible', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const harness = new TestTable(ids.map((id) => row(id)));
        const open: BackendSlot[] = [];
        const sums = { requests: 0, inFlight: 0 };
        let finished = 0;
        for (const action of steps) {
          if (action.kind === 'begin') {
            const slot = harness.table.pick(harness.pool, [], NO_FEATURES);
            const anyone = harness.pool.slots.some((each) => each.eligible);
            expect(slot !== undefined).toBe(anyone);
            if (slot === undefined) continue;
            harness.table.begin(slot);
            open.push(slot);
          } else if (action.kind === 'finish') {
            const slot = open.shift();
            if (slot === undefined) continue;
            harness.table.finish(harness.pool, slot, action.outcome, 1, harness.nowMs);
            finished += 1;
          } else if (action.kind === 'advance') harness.advance(action.ms);
          else if (action.kind === 'remove') harness.apply({ kind: 'backend_removed', backend: action.id });
          else {
            const { id, eligible, halfOpen, port } = action;
            harness.set(id, { eligible, halfOpen, url: `http://127.0.0.1:${port}` });
          }
          for (const seen of harness.table.observe()) {
            sums.requests += seen.requests;
            sums.inFlight += seen.inFlight;
          }
          expect(sums).toEqual({ requests: finished, inFlight: open.length });
        }
      }),
    );
  });
});
