import { FastRandom } from '@usher/domain';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AttemptOutcome, BackendRow, BackendSlot, PoolTable, TableDelta } from '../routing-table.ts';
import { policy, pool, route, row } from '../testing/fixtures.ts';
import { type BreakerNews, WorkerTable } from './worker-table.ts';

const START = 1_000_000;

class Harness {
  readonly news: BreakerNews[] = [];
  readonly table = new WorkerTable(policy(), new FastRandom({ next: () => 0.4 }), (news) =>
    this.news.push(news),
  );
  nowMs = START;
  #position = 0;

  constructor(rows: readonly BackendRow[], settings = pool()) {
    this.apply({ kind: 'pool', settings }, ...rows.map((each) => ({ kind: 'backend', row: each }) as const));
    this.apply({ kind: 'policy', policy: this.table.policy });
  }

  get pool(): PoolTable {
    return this.table.match('any', '/')!.pool;
  }

  apply(...deltas: TableDelta[]): void {
    this.table.apply(deltas, ++this.#position, this.nowMs);
  }

  set(id: string, changes: Partial<BackendRow> = {}): void {
    this.apply({ kind: 'backend', row: row(id, changes) });
  }

  /** Who may be chosen now. */
  get choosable(): string {
    return this.pool.eligible.map(({ id }) => id).join(' ');
  }

  slot(id: string): BackendSlot {
    return this.pool.slots.find((each) => each.id === id)!;
  }

  /** Attempts that begin and end at once. */
  attempts(slot: BackendSlot, ...outcomes: AttemptOutcome[]): void {
    for (const outcome of outcomes) {
      this.table.begin(slot);
      this.table.finish(this.pool, slot, outcome, 0, this.nowMs);
    }
  }

  trip(id: string): void {
    this.attempts(this.slot(id), 'connect_failed', 'connect_failed', 'connect_failed');
  }

  advance(ms: number): void {
    this.nowMs += ms;
    this.table.tick(this.nowMs);
  }
}

describe('picking', () => {
  test('uses the eligible backends of the pool of the matching route, in turn', () => {
    const { table, pool } = new Harness([row('a'), row('b')]);
    expect([1, 2, 3].map(() => table.pick(pool, [])?.id)).toEqual(['a', 'b', 'a']);
  });

  test('stops choosing a backend at once when the log says that it is not eligible', () => {
    const harness = new Harness([row('a'), row('b')]);
    harness.set('a', { eligible: false });
    expect(harness.choosable).toBe('b');
    harness.set('b', { eligible: false });
    expect(harness.table.pick(harness.pool, [])).toBeUndefined();
    harness.set('a');
    expect(harness.choosable).toBe('a');
  });

  test('falls back to last resorts only when nobody is eligible', () => {
    const harness = new Harness([row('a'), row('b', { eligible: false, lastResort: true })]);
    expect(harness.choosable).toBe('a');
    harness.set('a', { eligible: false });
    expect(harness.choosable).toBe('b');
  });

  test('does not choose a weight of 0, eligible or not', () => {
    const harness = new Harness([row('a', { weight: 0 }), row('b', { eligible: false, lastResort: true })]);
    expect(harness.choosable).toBe('b');
  });

  test('follows a change of strategy and of weights', () => {
    const harness = new Harness([row('a'), row('b')]);
    harness.apply({ kind: 'pool', settings: pool({ strategy: 'weighted_round_robin' }) });
    harness.set('a', { weight: 3 });
    const picks = Array.from({ length: 4 }, () => harness.table.pick(harness.pool, [])?.id).join('');
    expect(picks).toBe('aaba');
  });
});

describe('routes', () => {
  test('send a request to the plugin lane when they have plugins', () => {
    const harness = new Harness([row('a')]);
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

  test('of a pool that is not there yet find no backend, and find them when it comes', () => {
    const harness = new Harness([]);
    harness.apply({
      kind: 'policy',
      policy: policy({ routes: [route({ id: 'x', path: '/*', pool: 'later' })] }),
    });
    expect(harness.table.pick(harness.pool, [])).toBeUndefined();
    harness.apply(
      { kind: 'backend', row: row('a', { pool: 'later' }) },
      { kind: 'pool', settings: pool({ id: 'later' }) },
    );
    expect(harness.table.pick(harness.pool, [])?.id).toBe('a');
    harness.apply({ kind: 'pool_removed', pool: 'later' });
    expect(harness.table.pick(harness.pool, [])).toBeUndefined();
  });
});

describe('slots', () => {
  test('keep their counters, requests under way and breaker through changes of weight, eligibility and pool settings', () => {
    const harness = new Harness([row('a'), row('b')]);
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
    const harness = new Harness([row('a'), row('b')]);
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
    const harness = new Harness([row('a'), row('b')]);
    const before = harness.slot('a');
    harness.set('a', { url: 'http://127.0.0.2:80' });
    const after = harness.slot('a');
    expect(after).toMatchObject({ host: '127.0.0.2', port: 80, authority: '127.0.0.2', requests: 0 });
    expect(before).toMatchObject({ host: '127.0.0.1', port: 9 });
    expect([0, 1]).not.toContain(after.index);
  });

  test('move with their backend to another pool', () => {
    const harness = new Harness([row('a'), row('b')]);
    harness.set('a', { pool: 'other' });
    expect(harness.choosable).toBe('b');
  });
});

describe('the breaker', () => {
  test('takes a failing backend out and tells the others once', () => {
    const harness = new Harness([row('a'), row('b')]);
    harness.trip('a');
    expect(harness.choosable).toBe('b');
    expect(harness.news).toEqual([
      { kind: 'tripped', backend: 'a', failures: 3, requests: 3, untilMs: START + 30_000 },
    ]);
  });

  test('counts no client that leaves, neither as failure nor as success', () => {
    const harness = new Harness([row('a'), row('b')]);
    const gone = Array.from({ length: 20 }, () => 'client_closed' as const);
    harness.attempts(harness.slot('a'), 'server_error', 'server_error', ...gone);
    expect(harness.choosable).toBe('a b');
    expect(harness.slot('a')).toMatchObject({ requests: 22, failures: 2 });
    harness.attempts(harness.slot('a'), 'server_error');
    expect(harness.choosable).toBe('b');
  });

  test('diverts nothing when there is nowhere better to send to', () => {
    const harness = new Harness([row('a'), row('b'), row('c', { eligible: false })]);
    harness.trip('a');
    harness.trip('b');
    expect(harness.choosable).toBe('a b');
    expect(harness.news).toHaveLength(2);
    harness.set('c', { eligible: false, lastResort: true });
    expect(harness.choosable).toBe('c');
  });

  test('lets a few trials through after its time, and everything after enough of them succeed', () => {
    const harness = new Harness([row('a'), row('b')]);
    harness.trip('a');
    harness.advance(29_999);
    expect(harness.choosable).toBe('b');
    harness.advance(1);
    expect(harness.choosable).toBe('a b');
    const slot = harness.slot('a');
    harness.table.begin(slot);
    harness.table.begin(slot);
    expect(harness.choosable).toBe('b');
    harness.table.finish(harness.pool, slot, 'client_closed', 0, harness.nowMs);
    expect(harness.choosable).toBe('a b');
    harness.table.finish(harness.pool, slot, 'ok', 0, harness.nowMs);
    harness.attempts(slot, 'ok');
    expect(harness.news.at(-1)).toEqual({ kind: 'recovered', backend: 'a' });
    expect(slot.breaker.phase).toBe('closed');
  });

  test('opens again when a trial fails', () => {
    const harness = new Harness([row('a'), row('b')]);
    harness.trip('a');
    harness.advance(30_000);
    harness.attempts(harness.slot('a'), 'response_timeout');
    expect(harness.choosable).toBe('b');
    expect(harness.news.at(-1)).toMatchObject({ kind: 'tripped', untilMs: START + 60_000 });
  });

  test('follows what another worker saw, without telling it again', () => {
    const harness = new Harness([row('a'), row('b')]);
    harness.apply({ kind: 'tripped', backend: 'a', untilMs: START + 5_000 });
    expect(harness.choosable).toBe('b');
    harness.apply({ kind: 'recovered', backend: 'a' });
    expect(harness.choosable).toBe('a b');
    expect(harness.news).toEqual([]);
  });

  test('ignores an opening that is over already', () => {
    const harness = new Harness([row('a'), row('b')]);
    harness.apply({ kind: 'tripped', backend: 'a', untilMs: START });
    expect(harness.choosable).toBe('a b');
  });

  test('tries along when the fleet tries, also if this worker saw nothing wrong', () => {
    const harness = new Harness([row('a'), row('b')]);
    harness.set('a', { halfOpen: true, trialLimit: 1 });
    harness.table.begin(harness.slot('a'));
    expect(harness.choosable).toBe('b');
    harness.table.finish(harness.pool, harness.slot('a'), 'ok', 0, harness.nowMs);
    harness.attempts(harness.slot('a'), 'ok');
    expect(harness.news).toEqual([{ kind: 'recovered', backend: 'a' }]);
  });

  test('is closed with the fleet unless this worker knows better', () => {
    const harness = new Harness([row('a', { halfOpen: true }), row('b', { halfOpen: true })]);
    harness.attempts(harness.slot('b'), 'connect_failed');
    harness.set('a');
    harness.set('b');
    expect(harness.slot('a').breaker.phase).toBe('closed');
    expect(harness.slot('b').breaker.phase).toBe('open');
  });

  test('does nothing when it is switched off', () => {
    const { breaker } = pool();
    const harness = new Harness([row('a'), row('b')], pool({ breaker: { ...breaker, enabled: false } }));
    harness.trip('a');
    expect(harness.choosable).toBe('a b');
    expect(harness.news).toEqual([]);
  });

  test('closes when it is switched off while open', () => {
    const harness = new Harness([row('a'), row('b')]);
    harness.trip('a');
    harness.apply({ kind: 'pool', settings: pool({ breaker: { ...pool().breaker, enabled: false } }) });
    expect(harness.choosable).toBe('a b');
  });

  test('says nothing about a backend that is gone', () => {
    const harness = new Harness([row('a'), row('b')]);
    const slot = harness.slot('a');
    harness.apply({ kind: 'backend_removed', backend: 'a' });
    harness.attempts(slot, 'connect_failed', 'connect_failed', 'connect_failed');
    expect(harness.news).toEqual([]);
  });
});

describe('retries', () => {
  test('are taken from the budget of their pool', () => {
    const { table, pool } = new Harness([row('a')]);
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
        const harness = new Harness(ids.map((id) => row(id)));
        const open: BackendSlot[] = [];
        const sums = { requests: 0, inFlight: 0 };
        let finished = 0;
        for (const action of steps) {
          if (action.kind === 'begin') {
            const slot = harness.table.pick(harness.pool, []);
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
