import { expect, test } from 'vitest';
import { pool, row } from '../testing/fixtures.ts';
import { TestTable } from '../testing/table.ts';

const rows = () => [row('a'), row('b'), row('stand-in', { priority: 1 }), row('last', { priority: 2 })];
const down = { eligible: false, barred: 'unhealthy' } as const;

test('backends with a larger number get requests only while none with a smaller one may', () => {
  const table = new TestTable(rows());
  expect(table.choosable).toBe('a b');
  table.set('a', down);
  expect(table.choosable).toBe('b');
  table.set('b', down);
  expect(table.choosable).toBe('stand-in');
  table.set('stand-in', { ...down, priority: 1 });
  expect(table.choosable).toBe('last');
  table.set('b');
  expect(table.choosable).toBe('b');
});

test('a worker’s own breaker makes way for a stand-in at once', () => {
  const table = new TestTable([row('a'), row('stand-in', { priority: 1 })]);
  table.trip('a');
  expect(table.choosable).toBe('stand-in');
});

test('a stand-in that may get requests comes before a first one of which nothing is known', () => {
  const unknown = { eligible: false, barred: 'unknown', lastResort: true } as const;
  const table = new TestTable([row('a', unknown), row('stand-in', { priority: 1 })]);
  expect(table.choosable).toBe('stand-in');
});

test('a backend takes up its new priority', () => {
  const table = new TestTable(rows());
  table.set('b', { priority: 9 });
  expect(table.choosable).toBe('a');
});

test('a pool with stand-ins goes to them instead of panicking', () => {
  const table = new TestTable(
    [row('a', down), row('b', down), row('stand-in', { priority: 1 })],
    pool({ panic: 0.5 }),
  );
  expect(table.choosable).toBe('stand-in');
});
