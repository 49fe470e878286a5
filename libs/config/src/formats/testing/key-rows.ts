import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { KeyedFormat } from '../format.ts';
import { type ImportedForTest, imported } from './imported.ts';

/** A value of a key of another system, and what becomes of it: a value of Usher's at a path, or what is said about it. */
export type KeyRow = readonly [
  key: string,
  value: unknown,
  ...outcome: readonly [at: string, is: unknown] | readonly [RegExp],
];

/** Puts a value at a path such as `backends[].weight`: into the first item of a list. */
function put(around: unknown, path: string, value: unknown): unknown {
  const [, name = '', item, rest = ''] = /^([^.[]*)(\[\])?\.?(.*)$/.exec(path) ?? [];
  const known: Record<string, unknown> = typeof around === 'object' && around !== null ? { ...around } : {};
  const inner = known[name];
  if (item === undefined) return { ...known, [name]: rest === '' ? value : put(inner, rest, value) };
  const [first, ...others]: unknown[] = Array.isArray(inner) ? inner : [];
  return { ...known, [name]: [rest === '' ? value : put(first, rest, value), ...others] };
}

/** Tests that each key of a system does what its row says, and that each key of its page has a row. */
export function testKeys(format: KeyedFormat, base: object, rows: readonly KeyRow[]): void {
  test.each(rows)('%s: %j', (key, value, ...outcome) => {
    const made = imported(stringify(put(base, key, value)), format.name);
    check(made, outcome);
  });

  test('every key on its page has been tested', () => {
    const keys = new Set(rows.map(([key]) => key));
    expect(Object.keys(format.table).filter((key) => !keys.has(key))).toEqual([]);
  });
}

function check({ file, notes }: ImportedForTest, outcome: readonly unknown[]): void {
  const [at, is] = outcome;
  if (at instanceof RegExp) expect(notes.join('\n')).toMatch(at);
  else if (is === undefined) expect(file).not.toHaveProperty(String(at));
  else expect(file).toHaveProperty(String(at), is);
}
