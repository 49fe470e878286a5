import { NO_FEATURES } from '@usher/domain';
import { expect, test } from 'vitest';
import { limitOf, pool, row } from '../testing/fixtures.ts';
import { TestTable } from '../testing/table.ts';
import { newLineCells } from './waiting-line.ts';

const ROOT = { path: '/' };

/** What is said of each backend. */
function reasons({ table, pool: of }: TestTable): Record<string, string> {
  return Object.fromEntries(
    table.placing.explain(of, NO_FEATURES, ROOT).candidates.map(({ backend, reason }) => [backend, reason]),
  );
}

test('names what speaks against each backend', () => {
  const harness = new TestTable([
    row('a'),
    row('b', { eligible: false, barred: 'draining' }),
    row('c', { weight: 0 }),
    row('d', { url: 'http://nobody.invalid:80' }),
    row('e', { eligible: false, barred: 'breaker_open', lastResort: true }),
    row('f'),
    row('g', { limit: limitOf(1) }),
  ]);
  harness.trip('f');
  harness.table.begin(harness.slot('g'));
  expect(reasons(harness)).toEqual({
    a: 'ok',
    b: 'draining',
    c: 'weight',
    d: 'no_address',
    e: 'breaker_open',
    f: 'breaker_tripped',
    g: 'max_connections',
  });
  expect(harness.table.placing.explain(harness.pool, NO_FEATURES, ROOT)).toMatchObject({
    among: 'eligible',
    outcome: 'backend',
  });
});

test('says that only trials are allowed, and that all of them are under way', () => {
  const harness = new TestTable([row('a'), row('b', { trialLimit: 1 })]);
  harness.trip('b');
  harness.advance(30_000);
  expect(reasons(harness)).toEqual({ a: 'ok', b: 'ok' });
  harness.table.begin(harness.slot('b'));
  expect(reasons(harness)).toEqual({ a: 'ok', b: 'breaker_trials' });
});

test('says whom there is to choose from where nobody is eligible', () => {
  const harness = new TestTable([row('a', { eligible: false, lastResort: true }), row('b')]);
  harness.set('b', { eligible: false });
  expect(harness.table.placing.explain(harness.pool, NO_FEATURES, ROOT)).toMatchObject({
    among: 'last_resort',
    outcome: 'backend',
  });
  expect(reasons(harness)).toEqual({ a: 'ok', b: 'unhealthy' });
  harness.trip('a');
  expect(harness.table.placing.explain(harness.pool, NO_FEATURES, ROOT)).toMatchObject({
    among: 'despite_breakers',
  });
  harness.set('a', { eligible: false });
  expect(harness.table.placing.explain(harness.pool, NO_FEATURES, ROOT)).toMatchObject({
    among: null,
    outcome: 'no_backend',
    choice: undefined,
  });
});

test('says that a request would wait, and when there is no place to wait at', () => {
  const line = newLineCells(1);
  const limit = limitOf(1, 1, line);
  const full = (max: number) => {
    const harness = new TestTable([row('a', { limit })], pool({ queue: { max, timeoutMs: 1_000 } }));
    return harness.table.placing.explain(harness.pool, NO_FEATURES, ROOT);
  };
  const harness = new TestTable([row('a', { limit })], pool({ queue: { max: 1, timeoutMs: 1_000 } }));
  expect(harness.table.placing.explain(harness.pool, NO_FEATURES, ROOT)).toMatchObject({
    outcome: 'backend',
    choice: { id: 'a' },
  });
  harness.table.begin(harness.slot('a'));
  expect(full(1)).toMatchObject({ outcome: 'waits', choice: undefined });
  expect(full(0)).toMatchObject({ outcome: 'overloaded', choice: undefined });
  harness.pool.line?.enter({ features: NO_FEATURES, admitted: () => {}, turnedAway: () => {} }, 1);
  expect(full(1)).toMatchObject({ outcome: 'overloaded' });
  expect(full(2)).toMatchObject({ outcome: 'waits' });
});
