import type { Chance } from '../fuzz/chance.ts';

/** Pieces that change what YAML makes of the text around them, and values that are odd for some key. */
const FRAGMENTS = [
  '{',
  '}',
  '[',
  ']',
  ':',
  ': ',
  ',',
  '- ',
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
  '~',
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
  '<<: *a',
  '__proto__: {}',
  'null',
  'true',
  '0',
  '-1',
  '1e999',
  '.nan',
  '99999999999999999999',
  '0x10',
  '2026-01-01',
  'env:',
  'env:X',
  'file:',
  'file:/dev/null',
  '::1',
  '/0',
  '30s',
  '20%',
  '10MiB',
  'http://',
  'constructor',
  'none',
  'auto',
  'x'.repeat(300),
] as const;
const PIECE_MAX = 40;

type Mutation = (lines: string[], chance: Chance) => void;

/** As a slip of the hand in an editor would: whole lines, their order, their indentation, keys and values. */
const MUTATIONS: readonly Mutation[] = [
  (lines, chance) => void lines.splice(chance.below(lines.length), 1),
  (lines, chance) => lines.splice(chance.below(lines.length), 0, chance.pick(lines)),
  (lines, chance) => lines.splice(chance.below(lines.length), 1, chance.pick(lines)),
  (lines, chance) => change(lines, chance, (line) => `  ${line}`),
  (lines, chance) => change(lines, chance, (line) => line.slice(2)),
  (lines, chance) => change(lines, chance, (line) => line.replace(/: .*$/, `: ${chance.pick(FRAGMENTS)}`)),
  (lines, chance) =>
    change(lines, chance, (line) => line.replace(/\w+(?=:)/, (key) => misspelt(key, chance))),
  (lines, chance) =>
    change(lines, chance, (line) => line.replace(/: .*$/, /: .*$/.exec(chance.pick(lines))?.[0] ?? ':')),
  (lines, chance) =>
    change(lines, chance, (line) => {
      const at = chance.below(line.length + 1);
      return line.slice(0, at) + chance.pick(FRAGMENTS) + line.slice(at + chance.below(PIECE_MAX));
    }),
  (lines, chance) => void lines.splice(chance.below(lines.length)),
];

function change(lines: string[], chance: Chance, edit: (line: string) => string): void {
  const at = chance.below(lines.length);
  lines[at] = edit(lines[at] ?? '');
}

function misspelt(key: string, chance: Chance): string {
  const at = chance.below(key.length);
  return key.slice(0, at) + (chance.oneIn(2) ? '' : 'x') + key.slice(at + 1);
}

/** The text with one to four such changes. */
export function mutateText(text: string, chance: Chance): string {
  const lines = text.split('\n');
  for (let left = 1 + chance.below(4); left > 0 && lines.length > 0; left--)
    chance.pick(MUTATIONS)(lines, chance);
  return lines.join('\n');
}
