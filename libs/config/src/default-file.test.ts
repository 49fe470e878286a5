import { expect, test } from 'vitest';
import { defaultFile } from './default-file.ts';
import { ConfigError } from './fault.ts';
import { root } from './keys/root.ts';
import { parseConfigText } from './load.ts';
import type { Shape } from './types/type.ts';
import { writtenYaml } from './written-yaml.ts';

test.each([[false], [true]])('the file of all defaults says what holds without a file (full: %s)', (full) => {
  expect(parseConfigText(defaultFile({ full }))).toEqual(parseConfigText('{}'));
});

const isKey = (line: string) => /^#? *[a-z0-9_]+:/.test(line);

test('every key that is written has a line about it before it', () => {
  const lines = defaultFile({ full: true }).split('\n');
  const bare = lines.filter((line, at) => isKey(line) && !/^#? *# /.test(lines[at - 1] ?? ''));
  expect(lines.filter(isKey).length).toBeGreaterThan(100);
  expect(bare).toEqual([]);
});

/** The names of all keys below a shape. */
function keysOf(shape: Shape): string[] {
  switch (shape.kind) {
    case 'scalar':
      return [];
    case 'section':
      return Object.entries(shape.keys).flatMap(([name, { type }]) => [name, ...keysOf(type.shape)]);
    case 'record':
      return keysOf(shape.value.shape);
    case 'list':
      return keysOf(shape.item.shape);
    case 'either':
      return keysOf(shape.other.shape);
  }
}

test('the full file has every key that is declared', () => {
  const written = defaultFile({ full: true }).matchAll(/^#? *([a-z0-9_]+):(?: |$)/gm);
  expect(Array.from(written, ([, key = '']) => key).toSorted(byName)).toEqual(
    [...keysOf(root.shape), ...alternatives].toSorted(byName),
  );
});

const byName = (a: string, b: string) => a.localeCompare(b, 'en');

/** Keys whose default and whose alternative are both there. */
const alternatives = ['listen', 'routes', 'tokens', 'bus'];

test('what is commented out is in its place: without the marks there is no unknown key', () => {
  const text = defaultFile({ full: true })
    // The default gives way to its alternative.
    .replaceAll(/^.*\n(?=#+ *# Or:$)/gm, '')
    .replaceAll(/^#(?=#|[a-z]| {2})/gm, '')
    .replaceAll(/<pool>/g, 'web')
    .replaceAll(/<.*>$/gm, 'x');
  const faults = faultsOf(text);
  expect(faults.length).toBeGreaterThan(5);
  expect(
    faults.filter((message) => /unknown key|YAML|indent|column|block|map, found/i.test(message)),
  ).toEqual([]);
});

function faultsOf(text: string): readonly string[] {
  try {
    parseConfigText(text);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults.map(({ path, message }) => `${path}: ${message}`);
  }
}

test.each([
  ['p2c', 'p2c'],
  ['yes', '"yes"'],
  ['1.2', '"1.2"'],
  ['', '""'],
  ['a: b', '"a: b"'],
  ['./data', './data'],
  [true, 'true'],
  [1.5, '1.5'],
  [[1, 'a'], '[1, a]'],
  [{ a: { b: 1 }, c: {} }, '{ a: { b: 1 }, c: {} }'],
] as const)('a value is written so that it is read as what it is: %j', (value, written) => {
  expect(writtenYaml(value)).toBe(written);
});
