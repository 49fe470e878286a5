import { expect, test } from 'vitest';
import { pool, row } from '../testing/fixtures.ts';
import { TestTable } from '../testing/table.ts';

const url = 'http://gpu.test:80';
const resolves = (...addresses: string[]) => ({ kind: 'addresses', host: 'gpu.test', addresses }) as const;

function ips(table: TestTable, id: string): string {
  return table
    .slot(id)
    .endpoint.addresses.all.map(({ ip }) => ip)
    .join(' ');
}

test('a guarded backend has the allowed addresses of a name, another all of them', () => {
  const table = new TestTable([row('a', { url, guarded: true }), row('b', { url })]);
  table.apply(resolves('169.254.169.254', '10.0.0.1'));
  expect([ips(table, 'a'), ips(table, 'b')]).toEqual(['10.0.0.1', '169.254.169.254 10.0.0.1']);
  table.apply(resolves('::ffff:169.254.169.254'));
  expect(table.choosable).toBe('b');
  table.set('c', { url, guarded: true });
  expect(ips(table, 'c')).toBe('');
});

test('new targets of a pool count for what its names resolved to', () => {
  const table = new TestTable([row('a', { url, guarded: true })]);
  table.apply(resolves('169.254.7.1'));
  expect(table.choosable).toBe('');
  const targets = { networks: ['169.254.7.0/24'], names: ['gpu.test'] };
  table.apply({ kind: 'pool', settings: pool({ targets }) });
  expect(table.choosable).toBe('a');
  table.apply({ kind: 'pool', settings: pool() });
  expect(table.choosable).toBe('');
});

test('a backend that an operator takes over is guarded no more', () => {
  const table = new TestTable([row('a', { url, guarded: true })]);
  table.apply(resolves('169.254.169.254'));
  table.set('a', { url });
  expect(table.choosable).toBe('a');
});
