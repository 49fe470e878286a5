import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const FOLDER = new URL('../../docs/migrate/', import.meta.url);

/** What the rows of a table on a page about moving from a system begin with. */
function rowsOf(page: string, heading: string): readonly string[] {
  const text = readFileSync(new URL(`${page}.md`, FOLDER), 'utf8');
  const [, section = ''] = text.split(`\n## ${heading}\n`);
  const [table = ''] = section.trimStart().split('\n\n', 1);
  return [...table.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = '']) => name);
}

/** Tests each row of that table, and that there is a test for each. */
export function testRows(
  page: string,
  heading: string,
  rows: Readonly<Record<string, () => Promise<void>>>,
  limitMs = 60_000,
): void {
  describe(`${page}, ${heading.toLowerCase()}`, () => {
    test.each(Object.entries(rows))('%s', async (_name, show) => await show(), limitMs);

    test('every row has been tested', () => {
      expect(Object.keys(rows).toSorted()).toEqual(rowsOf(page, heading).toSorted());
    });
  });
}
