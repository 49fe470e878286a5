import { expect, test } from 'vitest';
import { imported } from './imported.ts';

/**
 * A directive of another system, where it stands, and what becomes of it: a value of Usher's at a path, what is said about it, or
 * nothing at all. Those of which only a note is expected have no value of Usher's.
 */
export type DirectiveRow<P> = readonly [
  name: string,
  parts: P,
  ...outcome: readonly [at: string, is: unknown] | readonly [RegExp] | readonly [],
];

/** Tests that each directive does what its row says, and that each one of its page has a row. */
export function testDirectives<P>(
  table: Readonly<Record<string, unknown>>,
  format: string,
  fileOf: (parts: P | undefined) => string,
  rows: readonly DirectiveRow<P>[],
): void {
  test.each(rows)('%s: %j', (_name, parts, ...outcome) => {
    const [at, is]: readonly unknown[] = outcome;
    const { file, notes } = imported(fileOf(parts), format);
    if (typeof at === 'string') {
      if (is === undefined) expect(file).not.toHaveProperty(at);
      else expect(file).toHaveProperty(at, is);
    } else if (at instanceof RegExp) expect(notes.join('\n')).toMatch(at);
    else {
      const without = imported(fileOf(undefined), format);
      expect({ file, notes }).toEqual(without);
    }
  });

  test('every directive on its page has been tested', () => {
    const names = new Set(rows.map(([name]) => name));
    expect(Object.keys(table).filter((name) => !names.has(name))).toEqual([]);
  });
}
