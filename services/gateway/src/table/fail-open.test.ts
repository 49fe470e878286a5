import { NO_FEATURES } from '@usher/domain';
import { expect, test } from 'vitest';
import { pool, row } from '../testing/fixtures.ts';
import { TestTable } from '../testing/table.ts';

const closed = pool({ failOpen: false });
const open = { eligible: false, barred: 'breaker_open', lastResort: true } as const;
const unknown = { eligible: false, barred: 'unknown', lastResort: true } as const;

test('with the breakers of all open, requests go to all, or to nobody in a pool that does not fail open', () => {
  for (const [settings, choosable] of [
    [pool(), 'a b'],
    [closed, ''],
  ] as const) {
    const table = new TestTable([row('a'), row('b')], settings);
    table.trip('a');
    expect(table.choosable).toBe('b');
    table.trip('b');
    expect(table.choosable).toBe(choosable);
    table.set('a', open);
    table.set('b', open);
    expect(table.choosable).toBe(choosable);
  }
});

test('when its time is over an open breaker lets some try, and no more', () => {
  const table = new TestTable([row('a', { trialLimit: 1 })], closed);
  table.trip('a');
  table.advance(29_999);
  expect(table.choosable).toBe('');
  table.advance(1);
  expect(table.choosable).toBe('a');
  table.table.begin(table.slot('a'));
  expect(table.choosable).toBe('');
});

test('a breaker that is open for the fleet bars also those who have not seen it open', () => {
  const table = new TestTable([row('a', open), row('b', open)], closed);
  expect(table.choosable).toBe('');
  table.set('b', { halfOpen: true, trialLimit: 1 });
  expect(table.choosable).toBe('b');
});

test('whom nobody has probed yet serves where there is nobody else, until its breaker opens', () => {
  const table = new TestTable([row('a', unknown), row('b', open)], closed);
  expect(table.choosable).toBe('a');
  expect(table.table.placing.explain(table.pool, NO_FEATURES, { path: '/' })).toMatchObject({
    among: 'unbroken',
    outcome: 'backend',
  });
  table.trip('a');
  expect(table.choosable).toBe('');
  expect(table.table.placing.explain(table.pool, NO_FEATURES, { path: '/' })).toMatchObject({
    among: null,
    outcome: 'no_backend',
  });
});

test('there is no panic, however few are eligible', () => {
  const sick = { eligible: false, barred: 'unhealthy' } as const;
  const rows = [row('a'), row('b', sick), row('c', sick), row('d', sick)];
  expect(new TestTable(rows, pool({ panic: 0.5 })).choosable).toBe('a b c d');
  expect(new TestTable(rows, pool({ panic: 0.5, failOpen: false })).choosable).toBe('a');
  const table = new TestTable([row('a'), row('b'), row('c')], pool({ panic: 0.5, failOpen: false }));
  for (const id of 'abc') table.trip(id);
  expect(table.choosable).toBe('');
});

test('whoever is ejected serves when nobody else is left, as long as its own breaker is closed', () => {
  const passive = {
    enabled: true,
    consecutive: 3,
    failureRate: 1,
    windowMs: 10_000,
    requestsMin: 1_000,
    ejectForMs: 60_000,
    maxEjected: 0.5,
  };
  const table = new TestTable([row('a'), row('b')], pool({ failOpen: false, passive }));
  table.trip('a');
  table.advance(30_000);
  expect(table.choosable).toBe('b');
  table.set('b', { eligible: false });
  expect(table.choosable).toBe('a');
  table.attempts(table.slot('a'), 'ok', 'ok');
  expect(table.slot('a')).toMatchObject({ ejected: true, breaker: { phase: 'closed' } });
  expect(table.choosable).toBe('a');
});
