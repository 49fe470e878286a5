import { describe, expect, test } from 'vitest';
import { pool, row } from '../testing/fixtures.ts';
import { START, TestTable } from '../testing/table.ts';

describe('the breaker', () => {
  test('takes a failing backend out and tells the others once', () => {
    const harness = new TestTable([row('a'), row('b')]);
    harness.trip('a');
    expect(harness.choosable).toBe('b');
    expect(harness.news).toEqual([
      { kind: 'tripped', backend: 'a', failures: 3, requests: 3, untilMs: START + 30_000 },
    ]);
  });

  test('counts no client that leaves, neither as failure nor as success', () => {
    const harness = new TestTable([row('a'), row('b')]);
    const gone = Array.from({ length: 20 }, () => 'client_closed' as const);
    harness.attempts(harness.slot('a'), 'server_error', 'server_error', ...gone);
    expect(harness.choosable).toBe('a b');
    expect(harness.slot('a')).toMatchObject({ requests: 22, failures: 2 });
    harness.attempts(harness.slot('a'), 'server_error');
    expect(harness.choosable).toBe('b');
  });

  test('diverts nothing when there is nowhere better to send to', () => {
    const harness = new TestTable([row('a'), row('b'), row('c', { eligible: false })]);
    harness.trip('a');
    harness.trip('b');
    expect(harness.choosable).toBe('a b');
    expect(harness.news).toHaveLength(2);
    harness.set('c', { eligible: false, lastResort: true });
    expect(harness.choosable).toBe('c');
  });

  test('lets a few trials through after its time, and everything after enough of them succeed', () => {
    const harness = new TestTable([row('a'), row('b')]);
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
    const harness = new TestTable([row('a'), row('b')]);
    harness.trip('a');
    harness.advance(30_000);
    harness.attempts(harness.slot('a'), 'response_timeout');
    expect(harness.choosable).toBe('b');
    expect(harness.news.at(-1)).toMatchObject({ kind: 'tripped', untilMs: START + 60_000 });
  });

  test('follows what another worker saw, without telling it again', () => {
    const harness = new TestTable([row('a'), row('b')]);
    harness.apply({ kind: 'tripped', backend: 'a', untilMs: START + 5_000 });
    expect(harness.choosable).toBe('b');
    harness.apply({ kind: 'recovered', backend: 'a' });
    expect(harness.choosable).toBe('a b');
    expect(harness.news).toEqual([]);
  });

  test('ignores an opening that is over already', () => {
    const harness = new TestTable([row('a'), row('b')]);
    harness.apply({ kind: 'tripped', backend: 'a', untilMs: START });
    expect(harness.choosable).toBe('a b');
  });

  test('tries along when the fleet tries, also if this worker saw nothing wrong', () => {
    const harness = new TestTable([row('a'), row('b')]);
    harness.set('a', { halfOpen: true, trialLimit: 1 });
    harness.table.begin(harness.slot('a'));
    expect(harness.choosable).toBe('b');
    harness.table.finish(harness.pool, harness.slot('a'), 'ok', 0, harness.nowMs);
    harness.attempts(harness.slot('a'), 'ok');
    expect(harness.news).toEqual([{ kind: 'recovered', backend: 'a' }]);
  });

  test('is closed with the fleet unless this worker knows better', () => {
    const harness = new TestTable([row('a', { halfOpen: true }), row('b', { halfOpen: true })]);
    harness.attempts(harness.slot('b'), 'connect_failed');
    harness.set('a');
    harness.set('b');
    expect(harness.slot('a').breaker.phase).toBe('closed');
    expect(harness.slot('b').breaker.phase).toBe('open');
  });

  test('does nothing when it is switched off', () => {
    const { breaker } = pool();
    const harness = new TestTable([row('a'), row('b')], pool({ breaker: { ...breaker, enabled: false } }));
    harness.trip('a');
    expect(harness.choosable).toBe('a b');
    expect(harness.news).toEqual([]);
  });

  test('closes when it is switched off while open', () => {
    const harness = new TestTable([row('a'), row('b')]);
    harness.trip('a');
    harness.apply({ kind: 'pool', settings: pool({ breaker: { ...pool().breaker, enabled: false } }) });
    expect(harness.choosable).toBe('a b');
  });

  test('says nothing about a backend that is gone', () => {
    const harness = new TestTable([row('a'), row('b')]);
    const slot = harness.slot('a');
    harness.apply({ kind: 'backend_removed', backend: 'a' });
    harness.attempts(slot, 'connect_failed', 'connect_failed', 'connect_failed');
    expect(harness.news).toEqual([]);
  });
});

const half = (fleetTrials: readonly number[]) => ({ halfOpen: true, fleetTrials });

describe('the trials of the fleet’s half-open breaker', () => {
  test('are no more in all workers together than their parts, and go to others when these are passed on', () => {
    const workers = [0, 1, 2].map((worker) => new TestTable([row('a'), row('b')], pool(), undefined, worker));
    for (const each of workers) each.set('a', half([1, 1, 0]));
    const begin = () =>
      workers.map((each) => {
        let begun = 0;
        while (each.choosable.includes('a')) {
          each.table.begin(each.slot('a'));
          begun += 1;
        }
        return begun;
      });
    expect(begin()).toEqual([1, 1, 0]);
    expect(begin()).toEqual([0, 0, 0]);
    for (const each of workers) each.set('a', half([0, 1, 1]));
    expect(begin()).toEqual([0, 0, 1]);
    for (const each of workers) each.advance(30_000);
    expect(begin()).toEqual([0, 1, 1]);
  });

  test('are nobody’s where others have them, until the breaker is closed', () => {
    const harness = new TestTable([row('a'), row('b')]);
    harness.set('a', half([0]));
    expect(harness.choosable).toBe('b');
    harness.set('a');
    expect(harness.choosable).toBe('a b');
  });
});
