import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { inputOf, plainly } from '../../input/input.ts';
import type { KeyedFormat } from '../format.ts';
import { type Made, make, put, valuesAt } from './made.ts';

/**
 * A value of a key of another system, and what becomes of it: a value of Usher's at a path, what is said about it, or nothing at
 * all, not even a word.
 */
type KeyRow = readonly [key: string, value: unknown, ...outcome: Outcome];

export type Outcome = readonly [at: string, is: unknown] | readonly [RegExp] | readonly [];

/** A file of that system, into which the value of each row is put. */
type Base = readonly [base: object, rows: readonly KeyRow[]];

/**
 * Tests that each key of a system does what its row says, which does not hold without it, and that each key of its page has a row
 * that shows it: one in which what the page names for it is another, both in the file and in what Usher runs with. Those for which
 * the page names nothing change nothing but what is said.
 */
export function testKeys(format: KeyedFormat, ...bases: readonly Base[]): void {
  const bare = new Map<object, Made>();
  const without = (base: object): Made => {
    const before = bare.get(base) ?? make(format, base);
    bare.set(base, before);
    return before;
  };

  for (const [base, rows] of bases)
    test.each(rows)('%s: %j', (key, value, ...outcome) => {
      const [before, after] = [without(base), make(format, put(base, key, value))];
      checkOutcome(before, after, outcome);
      if (format.table[key]?.ours === '') expect(after.file, 'nothing stands for it').toEqual(before.file);
    });

  describe('on its page', () => {
    const cases = bases.flatMap(([base, rows]) => rows.map((row) => [base, ...row] as const));
    const keys = Object.entries(format.table);

    test.each(keys)('%s is shown to count', (name, { kind, fallback, ours }) => {
      const isShown = cases.some(([base, key, value, ...outcome]) => {
        if (key !== name) return false;
        if (ours === '') return !isDeepStrictEqual(kind.parse(inputOf(plainly(value))), fallback);
        return isDecided(ours, without(base), make(format, put(base, key, value)), outcome);
      });
      expect(isShown).toBe(true);
    });

    const defaults = keys.filter(([, { shown }]) => shown !== '' && shown !== '""');
    test.each(defaults)('the default of %s is what holds without it', (name, { kind, fallback }) => {
      const [base = {}] = cases.find(([, key]) => key === name) ?? [];
      const written = make(format, put(base, name, kind.show?.(fallback) ?? fallback));
      expect(written.settings).toEqual(make(format, put(base, name, undefined)).settings);
    });
  });
}

/** Whether a row shows what its key decides. */
export function isDecided(ours: string, before: Made, after: Made, [at]: readonly unknown[]): boolean {
  return (
    typeof at === 'string' &&
    !isDeepStrictEqual(valuesAt(before.file, ours), valuesAt(after.file, ours)) &&
    !isDeepStrictEqual(before.settings, after.settings)
  );
}

function holds({ file }: Made, at: string, is: unknown): boolean {
  return isDeepStrictEqual(valuesAt(file, at.replaceAll(/\[(\d+)\]/g, '.$1')), [is]);
}

export function checkOutcome(before: Made, after: Made, [at, is]: readonly unknown[]): void {
  if (typeof at === 'string') {
    expect(holds(before, at, is), 'so in any case').toBe(false);
    if (is === undefined) expect(after.file).not.toHaveProperty(at);
    else expect(after.file).toHaveProperty(at, is);
  } else if (at instanceof RegExp) {
    expect(after.notes.join('\n')).toMatch(at);
    expect(before.notes.join('\n'), 'said in any case').not.toMatch(at);
  } else expect(after).toEqual(before);
}
