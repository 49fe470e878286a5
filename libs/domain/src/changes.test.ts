import { expect, test } from 'vitest';
import { changesBetween } from './changes.ts';

test('equal values have no changes, in whatever order their members stand', () => {
  expect(changesBetween({ a: 1, b: { c: [1] } }, { b: { c: [1] }, a: 1 })).toEqual([]);
  expect(changesBetween({ a: undefined }, {})).toEqual([]);
});

test('each member that differs is told with its path, and what came or went has no other side', () => {
  const before = { kept: 1, gone: { x: 1 }, deep: { at: 1, list: [1, 2] } };
  const after = { kept: 1, deep: { at: 2, list: [2, 1] }, fresh: null };
  expect(changesBetween(before, after)).toEqual([
    { path: 'deep.at', before: 1, after: 2 },
    { path: 'deep.list', before: [1, 2], after: [2, 1] },
    { path: 'fresh', after: null },
    { path: 'gone', before: { x: 1 } },
  ]);
});

test('of secrets only that they differ is told, however deep they lie', () => {
  const before = {
    health: { headers: { 'X-Probe': 'hush-1' } },
    plugins: [{ options: { apiKey: 'hush-2' } }],
  };
  const after = {
    health: { headers: { 'X-Probe': 'hush-3' } },
    plugins: [{ options: { apiKey: 'hush-4', headers: { a: 'hush-5' } } }],
    token: { deep: 'hush-6' },
  };
  const changes = changesBetween(before, after);
  expect(changes.map(({ path }) => path)).toEqual(['health.headers.X-Probe', 'plugins', 'token']);
  expect(JSON.stringify(changes)).not.toContain('hush');
});
