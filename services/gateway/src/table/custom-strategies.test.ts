import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { keyed, pool, row } from '../testing/fixtures.ts';
import { TestTable } from '../testing/table.ts';

const folder = mkdtempSync(join(tmpdir(), 'usher-strategies-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;

function write(source: string): string {
  const file = join(folder, `strategy-${++files}.mjs`);
  writeFileSync(file, source);
  return file;
}

function tableWith(strategyFile: string): TestTable {
  return new TestTable([row('a'), row('b'), row('c')], pool({ strategy: 'custom', strategyFile }));
}

function picks(harness: TestTable, count = 30): Set<string> {
  return new Set(
    Array.from({ length: count }, (_, key) => harness.table.pick(harness.pool, [], keyed(key))!.id),
  );
}

test('a pool chooses by a strategy of the user’s own as soon as that is loaded', async () => {
  const harness = tableWith(write('export default (backends) => backends.find(({ id }) => id === "b");'));
  expect(picks(harness)).toEqual(new Set(['a', 'b', 'c']));
  await harness.table.strategiesLoaded();
  expect(picks(harness)).toEqual(new Set(['b']));
  harness.apply({ kind: 'pool', settings: pool({ strategy: 'round_robin' }) });
  expect(picks(harness)).toEqual(new Set(['a', 'b', 'c']));
});

test('it gets the hash of the key, and loads and latencies as they are', async () => {
  const harness = tableWith(
    write(`export default (backends, { key }) =>
      key === 7
        ? backends.toSorted((a, b) => b.inFlight - a.inFlight)[0]
        : backends.toSorted((a, b) => b.latencyMs - a.latencyMs)[0];`),
  );
  await harness.table.strategiesLoaded();
  harness.table.begin(harness.slot('b'));
  harness.table.hear(harness.slot('c'), 'answered', 20, harness.nowMs);
  expect(harness.table.pick(harness.pool, [], keyed(7))?.id).toBe('b');
  expect(harness.table.pick(harness.pool, [], keyed(8))?.id).toBe('c');
});

test.each([
  ['is not there', () => join(folder, 'nowhere.mjs'), /Cannot find module/],
  ['cannot be read', () => write('export default ('), /syntax/i],
  ['has no function', () => write('export const choose = () => {};'), /no default export that is a function/],
])('a file that %s is told in the log, and p2c chooses', async (_how, fileOf, cause) => {
  const harness = tableWith(fileOf());
  await harness.table.strategiesLoaded();
  expect(picks(harness)).toEqual(new Set(['a', 'b', 'c']));
  const [line, ...more] = harness.log.entries;
  expect(line).toMatchObject({ level: 'error', fields: { cause: expect.stringMatching(cause) } });
  expect(more).toEqual([]);
});

test('what it does wrong with every request is told once', async () => {
  const harness = tableWith(write('export default () => { throw new Error("lost"); };'));
  await harness.table.strategiesLoaded();
  expect(picks(harness)).toEqual(new Set(['a', 'b', 'c']));
  expect(harness.log.entries).toHaveLength(1);
  expect(harness.log.entries[0]).toMatchObject({ fields: { pool: 'web', cause: 'Error: lost' } });
});
