import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConfigError, type Fault } from './fault.ts';
import { parseConfigText } from './load.ts';

const FILES_MIN = 6000;
const example = readFileSync(new URL('../../../usher.example.yaml', import.meta.url), 'utf8');

/** Pieces that change what YAML makes of the text around them. */
const FRAGMENTS = [
  [
    '{',
    '}',
    '[',
    ']',
    ':',
    ': ',
    ',',
    '-',
    '- ',
    '?',
    '? ',
    '#',
    '&a ',
    '*a',
    '!x ',
    '|',
    '>',
    '"',
    "'",
    '%',
    '@',
  ],
  [
    '\n',
    '\r\n',
    '\t',
    '  ',
    '\0',
    '\u2028',
    '\uFEFF',
    '\uD800',
    '🚦',
    '---\n',
    '...\n',
    '<<: ',
    '__proto__: {}\n',
  ],
  [
    'null',
    '~',
    'true',
    '0',
    '-1',
    '1e999',
    '0x10',
    '.nan',
    '99999999999999999999',
    'env:',
    'file:',
    '::1',
    '/0',
  ],
  ['pools:\n', 'web:\n', '  url: x\n', '30s', '20%', '10MiB', 'http://', 'constructor', 'toString'],
].flat();

type Mutation = {
  kind: 'insert' | 'replace' | 'delete' | 'repeat' | 'move';
  at: number;
  length: number;
  fragment: number;
  to: number;
};

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('insert', 'replace', 'delete', 'repeat', 'move'),
  at: fc.nat(example.length),
  length: fc.integer({ min: 1, max: 40 }),
  fragment: fc.nat(FRAGMENTS.length - 1),
  to: fc.nat(example.length),
});

function mutate(text: string, { kind, at, length, fragment, to }: Mutation): string {
  const [before, piece, after] = [text.slice(0, at), text.slice(at, at + length), text.slice(at + length)];
  switch (kind) {
    case 'insert':
      return before + FRAGMENTS[fragment]! + piece + after;
    case 'replace':
      return before + FRAGMENTS[fragment]! + after;
    case 'delete':
      return before + after;
    case 'repeat':
      return before + piece + piece + after;
    case 'move': {
      const rest = before + after;
      return rest.slice(0, to) + piece + rest.slice(to);
    }
  }
}

/** Whether a fault points at a character of the text, or just behind one. */
function isInside({ place }: Fault, lines: readonly string[]): boolean {
  if (place.kind !== 'file') return false;
  const line = lines[place.line - 1];
  return line !== undefined && place.column >= 1 && place.column <= line.length + 1;
}

test(`of ${FILES_MIN} mutated files each is a configuration or has faults with places inside it`, {
  timeout: 120_000,
}, () => {
  let refused = 0;
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
      const text = mutations.reduce(mutate, example);
      try {
        parseConfigText(text, { env: { USHER_ADMIN_TOKEN: 'x' } });
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        refused++;
        const lines = text.split('\n');
        expect(error.faults.length).toBeGreaterThan(0);
        const named = error.faults.filter(({ place }) => place.kind === 'file');
        expect(named.filter((fault) => !isInside(fault, lines))).toEqual([]);
      }
    }),
    { numRuns: FILES_MIN, seed: 20_261_120 },
  );
  expect(refused).toBeGreaterThan(FILES_MIN / 4);
  expect(refused).toBeLessThan(FILES_MIN);
});

test('no override crashes the loader, whatever its name and value', () => {
  const word = fc.oneof(fc.constantFrom(...FRAGMENTS), fc.string({ maxLength: 12 }));
  const key = fc.constantFrom(
    'WORKERS',
    'POOLS__WEB',
    'ROUTES',
    'BUS__SERVERS',
    'STORE',
    'LISTEN',
    'ADMIN__TOKENS',
    'X',
  );
  fc.assert(
    fc.property(key, word, word, word, (name, a, b, c) => {
      const overrides = [{ path: `${name.toLowerCase().replaceAll('__', '.')}${a}`, value: b + c }];
      try {
        parseConfigText(example, {
          env: { USHER_ADMIN_TOKEN: 'x', [`USHER_${name}`]: a + b + c },
          overrides,
        });
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError);
      }
    }),
    { numRuns: 1000, seed: 20_261_121 },
  );
});
