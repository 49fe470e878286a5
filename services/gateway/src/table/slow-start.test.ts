import { NO_FEATURES } from '@usher/domain';
import { expect, test } from 'vitest';
import { pool, row } from '../testing/fixtures.ts';
import { START, TestTable } from '../testing/table.ts';

function shares(harness: TestTable): Record<string, number> {
  return Object.fromEntries(
    harness.pool.eligible.map(({ id, weight }) => [id, Math.round(weight * 100) / 100]),
  );
}

const warming = pool({ strategy: 'weighted_round_robin', slowStartMs: 10_000 });

/** Two backends that are warm. */
function warmTable(): TestTable {
  const harness = new TestTable([row('a'), row('b', { weight: 2 })], warming);
  harness.advance(10_000);
  return harness;
}

test('a backend that becomes eligible gets a tenth of its weight, and all of it step by step', () => {
  const harness = warmTable();
  harness.set('b', { weight: 2, eligible: false });
  harness.set('b', { weight: 2 });
  expect(shares(harness)).toEqual({ a: 1, b: 0.2 });
  harness.advance(5_000);
  expect(shares(harness)).toEqual({ a: 1, b: 1 });
  harness.advance(4_000);
  expect(shares(harness)).toEqual({ a: 1, b: 1.8 });
  harness.advance(1_000);
  expect(shares(harness)).toEqual({ a: 1, b: 2 });
  expect(harness.pool.warming).toBe(false);
});

test('a new backend begins slowly, and so does one whose breaker has closed', () => {
  const harness = warmTable();
  harness.set('c', { url: 'http://127.0.0.1:8' });
  expect(shares(harness)).toEqual({ a: 1, b: 2, c: 0.1 });
  harness.advance(10_000);
  harness.apply({ kind: 'tripped', backend: 'a', untilMs: harness.nowMs + 5_000 });
  expect(shares(harness)).toEqual({ b: 2, c: 1 });
  harness.apply({ kind: 'recovered', backend: 'a' });
  expect(shares(harness)).toEqual({ a: 0.1, b: 2, c: 1 });
});

test('backends that start together share as their weights say', () => {
  const harness = new TestTable([row('a'), row('b', { weight: 2 })], warming);
  expect(harness.nowMs).toBe(START);
  for (let step = 0; step < 12; step++) {
    const { a, b } = shares(harness);
    expect(b! / a!).toBeCloseTo(2);
    harness.advance(1_000);
  }
});

test('a clock that is set back begins a slow start anew instead of making it last until it has caught up', () => {
  const harness = warmTable();
  harness.set('c', { url: 'http://127.0.0.1:8' });
  harness.nowMs -= 3_600_000;
  harness.advance(100);
  harness.advance(10_000);
  expect(shares(harness)).toEqual({ a: 1, b: 2, c: 1 });
});

test('a change of weight counts for the part that a backend has, and switching the slow start off ends it', () => {
  const harness = warmTable();
  harness.set('c', { url: 'http://127.0.0.1:8' });
  harness.advance(5_000);
  harness.set('c', { url: 'http://127.0.0.1:8', weight: 4 });
  expect(shares(harness)).toEqual({ a: 1, b: 2, c: 2 });
  harness.apply({ kind: 'pool', settings: { ...warming, slowStartMs: 0 } });
  expect(shares(harness)).toEqual({ a: 1, b: 2, c: 4 });
});

test('a last resort gets its whole share at once', () => {
  const harness = warmTable();
  harness.set('a', { eligible: false });
  harness.set('b', { eligible: false, lastResort: true, weight: 2 });
  expect(shares(harness)).toEqual({ b: 2 });
});

test('the turns of the others go on while one warms up', () => {
  const harness = warmTable();
  harness.set('c', { url: 'http://127.0.0.1:8' });
  const counts = new Map<string, number>();
  for (let pick = 0; pick < 300; pick++) {
    harness.advance(10);
    const { id } = harness.table.pick(harness.pool, [], NO_FEATURES)!;
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  expect(counts.get('a')).toBeGreaterThan(80);
  expect(counts.get('b')).toBeGreaterThan(170);
  expect(counts.get('c')).toBeGreaterThan(5);
});
