import { expect, test } from 'vitest';
import { pool, row } from '../testing/fixtures.ts';
import { TestTable } from '../testing/table.ts';

const sick = { eligible: false, barred: 'unhealthy' } as const;
const panicking = (panic = 0.5) => pool({ panic });

test('with less than half of a pool eligible, requests go to all that no operator took out', () => {
  const table = new TestTable([row('a'), row('b'), row('c', sick), row('d')], panicking());
  expect(table.choosable).toBe('a b d');
  table.set('d', { eligible: false, barred: 'disabled' });
  expect(table.choosable).toBe('a b');
  table.set('b', sick);
  expect(table.choosable).toBe('a b c');
  table.set('b');
  expect(table.choosable).toBe('a b');
});

test('a panic is told once when it begins and once when it ends, not when it is over at once', () => {
  const table = new TestTable([row('a'), row('b'), row('c', sick)], panicking());
  table.set('b', sick);
  table.set('b');
  table.advance(100);
  expect(table.poolNews).toEqual([]);
  table.set('b', sick);
  table.advance(100);
  table.advance(100);
  expect(table.poolNews).toEqual([{ kind: 'panic', pool: 'web', on: true, eligible: 1, backends: 3 }]);
  table.set('b');
  table.advance(100);
  expect(table.poolNews.at(-1)).toEqual({ kind: 'panic', pool: 'web', on: false, eligible: 2, backends: 3 });
});

test('in a panic nobody is sent to whom this worker cannot connect to, as long as there are others', () => {
  const table = new TestTable([row('a'), row('b', sick), row('c', sick)], panicking());
  expect(table.choosable).toBe('a b c');
  table.trip('b');
  expect(table.choosable).toBe('a c');
  table.attempts(table.slot('c'), 'server_error', 'server_error', 'server_error');
  expect(table.choosable).toBe('a c');
  table.trip('a');
  table.advance(30_000);
  expect(table.choosable).toBe('a b c');
});

test('when nobody at all can be connected to, requests go to all, so that the first that recovers is found', () => {
  const table = new TestTable([row('a'), row('b', sick), row('c', sick)], panicking());
  for (const id of 'abc') table.trip(id);
  expect(table.choosable).toBe('a b c');
});

test.each([
  ['it is switched off', [row('a'), row('b', sick), row('c', sick)], 0, 'a'],
  ['there are two backends only', [row('a', sick), row('b')], 0.5, 'b'],
  [
    'nobody knows the others yet',
    [row('a'), ...['b', 'c', 'd'].map((id) => row(id, { eligible: false, lastResort: true }))],
    0.5,
    'a',
  ],
  ['half of them are eligible', [row('a'), row('b', sick), row('c'), row('d', sick)], 0.5, 'a c'],
])('there is no panic when %s', (_why, rows, panic, choosable) => {
  expect(new TestTable(rows, panicking(panic)).choosable).toBe(choosable);
});
