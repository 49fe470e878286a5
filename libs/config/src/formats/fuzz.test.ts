import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConfigError } from '../fault.ts';
import { emptyDisk } from '../input/disk.ts';
import { importText } from './import.ts';

const TEXTS_MIN = 4000;
const FOLDER = new URL('./testing/', import.meta.url);
const SEEDS = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(ya?ml|json|conf|cfg)$/.test(name))
  .map((name) => readFileSync(new URL(name, FOLDER), 'utf8'));

/** Pieces that change what each of the grammars makes of the text around them. */
const FRAGMENTS = (
  '{ } [ ] ; ; " \' \\ # : , - $ ${ } = ~ ^~ * ? if unless or server{ upstream location http{ listen backend frontend ' +
  'acl bind use_backend timeout weight= 0 -1 99999999999999999999 1e9 30s 10m 100% null true env:X file:/x http:// unix:/ ' +
  '[::]:80 :80 ../ __proto__ constructor hdr( ) { path_beg -m reg proxy_pass $host include /* *'
)
  .split(' ')
  .concat(['\n', '\r\n', '\t', '\0', '\uFEFF', '\uD800', '🚦', '  ', '\n    ']);

const mutation = fc.record({
  at: fc.nat(),
  length: fc.integer({ min: 0, max: 60 }),
  kind: fc.constantFrom('insert', 'replace', 'delete', 'repeat'),
  fragment: fc.constantFrom(...FRAGMENTS),
});

function mutate(
  text: string,
  { at, length, kind, fragment }: typeof mutation extends fc.Arbitrary<infer M> ? M : never,
) {
  const from = at % (text.length + 1);
  const [before, piece, after] = [
    text.slice(0, from),
    text.slice(from, from + length),
    text.slice(from + length),
  ];
  if (kind === 'insert') return before + fragment + piece + after;
  if (kind === 'replace') return before + fragment + after;
  return kind === 'delete' ? before + after : before + piece + piece + after;
}

/** Whether it was translated; otherwise there has to be a fault with words. */
function translates(text: string, format?: string): boolean {
  try {
    importText(text, { file: 'f', folder: '/', disk: emptyDisk, format });
    return true;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.faults.length).toBeGreaterThan(0);
    expect(error.faults.every(({ message }) => message.length > 0)).toBe(true);
    return false;
  }
}

test(`of ${TEXTS_MIN} mutated files of other systems each is translated or has faults`, {
  timeout: 120_000,
}, () => {
  let translated = 0;
  const mutations = fc.array(mutation, { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(fc.constantFrom(...SEEDS), mutations, (seed, changes) => {
      if (translates(changes.reduce(mutate, seed))) translated++;
    }),
    { numRuns: TEXTS_MIN, seed: 20_261_122 },
  );
  expect(translated).toBeGreaterThan(TEXTS_MIN / 20);
  expect(translated).toBeLessThan(TEXTS_MIN);
});

const LENGTH = 200_000;

/** What makes a reader that goes back and forth slow. */
test.each([
  ['http {', '{'],
  ['http {', '"'],
  ['http {', "\\'"],
  ['http {', 'a '],
  ['http {', '${'],
  ['http { server { location ', '~'],
  ['backend b\n server s ', '\\'],
  ['backend b\n server s ', '"'],
  ['backend b\n server s ', "'a"],
  ['backend b\n acl ', 'or { '],
  ['backend b\n', 'a\n'],
  ['backend b\n http-check expect rstatus ', '2|'],
  ['frontend f\n use_backend b if ', 'a or '],
  ['frontend f\n http-request deny if ', '{ path_beg /a } !{ src ::1 } or '],
  ['frontend f\n http-request set-header a ', '%['],
  ['http { server { rewrite ', '^/a/'],
  ['http { server { return 301 ', '${'],
  ['server: ', '['],
  ['server: ', '{a: '],
])('%j and very many %j are read in one go', (begin, piece) => {
  const text = begin + piece.repeat(Math.ceil(LENGTH / piece.length));
  for (const format of ['nginx', 'haproxy', 'helios']) expect(() => translates(text, format)).not.toThrow();
});
