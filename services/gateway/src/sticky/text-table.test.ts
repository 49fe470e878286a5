import { hashOf } from '@usher/domain';
import { expect, test } from 'vitest';
import { type TextEntry, TextTable } from './text-table.ts';

interface Numbered extends TextEntry {
  readonly number: number;
}

function find(
  table: TextTable<Numbered>,
  text: string,
  space = 'a',
  hash = hashOf(text),
): number | undefined {
  const around = `<${text}>`;
  return table.find(hash, space, around, 1, 1 + text.length)?.number;
}

test('an entry is found by its whole text in its own space, wherever that text stands', () => {
  const table = new TextTable<Numbered>(64);
  expect(find(table, 'one')).toBeUndefined();
  table.add(hashOf('one'), { text: 'one', space: 'a', number: 1 });
  table.add(hashOf('one'), { text: 'one', space: 'b', number: 2 });
  expect(find(table, 'one')).toBe(1);
  expect(find(table, 'one', 'b')).toBe(2);
  expect(find(table, 'one', 'c')).toBeUndefined();
  expect(find(table, 'two', 'a', hashOf('one'))).toBeUndefined();
  expect(new Set(table.withHash(hashOf('one')))).toEqual(
    new Set([
      { text: 'one', space: 'a', number: 1 },
      { text: 'one', space: 'b', number: 2 },
    ]),
  );
});

test('it never has more entries than it may, and keeps those that are used', () => {
  const table = new TextTable<Numbered>(1024);
  table.add(hashOf('used'), { text: 'used', space: 'a', number: -1 });
  for (let number = 0; number < 100_000; number++) {
    const text = `text-${number}`;
    table.add(hashOf(text), { text, space: 'a', number });
    expect(find(table, text)).toBe(number);
    expect(find(table, 'used')).toBe(-1);
  }
  expect(table.size).toBeLessThanOrEqual(1024);
  expect(table.size).toBeGreaterThan(1000);
});

test('texts of one hash push out no others', () => {
  const table = new TextTable<Numbered>(1024);
  const others = Array.from({ length: 300 }, (_, number) => ({ text: `text-${number}`, space: 'a', number }));
  for (const entry of others) table.add(hashOf(entry.text), entry);
  const kept = others.filter(({ text }) => find(table, text) !== undefined);
  for (let number = 0; number < 10_000; number++)
    table.add(7, { text: `same-${number}`, space: 'a', number: -number });
  const lost = kept.filter(({ text }) => find(table, text) === undefined);
  expect(lost.length).toBeLessThanOrEqual(8);
});

test('after it was cleared nothing is found and everything can be added', () => {
  const table = new TextTable<Numbered>(64);
  table.add(hashOf('one'), { text: 'one', space: 'a', number: 1 });
  table.clear();
  expect(find(table, 'one')).toBeUndefined();
  expect(table.size).toBe(0);
  table.add(hashOf('one'), { text: 'one', space: 'a', number: 2 });
  expect(find(table, 'one')).toBe(2);
});
