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
 * Tests that each key of a system does what its row says, and that each key of its page has a row that shows it: one whose
 * expectation fails without it, and in which what the page names for it is another, both in the file and in what Usher runs with.
 * Those for which the page names nothing change nothing but what is said.
 */
export function testKeys(format: KeyedFormat, ...bases: readonly Base[]): void {
  for (const [base, rows] of bases)
    test.each(rows)('%s: %j', (key, value, ...outcome) => {
      const before = make(format, base);
      const after = make(format, put(base, key, value));
      checkOutcome(before, after, outcome);
      if (format.table[key]?.ours === '') expect(after.file, 'nothing stands for it').toEqual(before.file);
    });

  describe('on its page', () => {
    test.each(Object.entries(format.table))('%s is shown to count', (name, { kind, fallback, ours }) => {
      const cases = bases.flatMap(([base, rows]) => rows.map((row) => ({ base, row })));
      const shows = cases.filter(({ base, row: [key, value, ...outcome] }) => {
        if (key !== name) return false;
        if (ours === '') return !isDeepStrictEqual(kind.parse(inputOf(plainly(value))), fallback);
        return isDecided(ours, make(format, base), make(format, put(base, key, value)), outcome);
      });
      expect(shows).not.toEqual([]);
    });
  });
}

/** Whether a row shows what its key decides. */
export function isDecided(ours: string, before: Made, after: Made, [at, is]: readonly unknown[]): boolean {
  return (
    typeof at === 'string' &&
    !holds(before, at, is) &&
    !isDeepStrictEqual(valuesAt(before.file, ours), valuesAt(after.file, ours)) &&
    !isDeepStrictEqual(before.settings, after.settings)
  );
}

function holds({ file }: Made, at: string, is: unknown): boolean {
  return isDeepStrictEqual(valuesAt(file, at.replaceAll(/\[(\d+)\]/g, '.$1')), [is]);
}

export function checkOutcome(before: Made, after: Made, [at, is]: readonly unknown[]): void {
  if (typeof at === 'string') {
    if (is === undefined) expect(after.file).not.toHaveProperty(at);
    else expect(after.file).toHaveProperty(at, is);
  } else if (at instanceof RegExp) {
    expect(after.notes.join('\n')).toMatch(at);
    expect(before.notes.join('\n'), 'said in any case').not.toMatch(at);
  } else expect(after).toEqual(before);
}
