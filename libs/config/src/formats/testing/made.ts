import { makeCertificate } from '@usher/testing';
import { parse, stringify } from 'yaml';
import { ConfigError } from '../../fault.ts';
import type { Disk } from '../../input/disk.ts';
import { parseConfigText, placeIn } from '../../load.ts';
import type { KeyedFormat } from '../format.ts';
import { printConfig } from '../print.ts';
import { formatNote } from '../remarks.ts';
import { readSource } from '../translate.ts';

/** What a file of another system has become. */
export interface Made {
  /** The file of Usher, read as YAML; of a command line what each of its flags is given. */
  readonly file: Readonly<Record<string, unknown>>;
  /** What was said, without the name of the file. */
  readonly notes: readonly string[];
  /** What Usher runs with, every default filled in; of a command the line. */
  readonly settings: unknown;
}

export interface Overlaid {
  readonly env?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
}

const FILE = 'f';
const { cert, key } = makeCertificate();

/** On it every file is a certificate, and those named `….key` have the key to it. */
const disk: Disk = {
  readBytes: (path) => Buffer.from(path.endsWith('.key') ? key : cert),
  isFile: () => true,
};

/** Makes a file for Usher of one of another system, with that system's variables and flags. Throws ConfigError. */
export function make(format: KeyedFormat, root: object, { env = {}, flags = [] }: Overlaid = {}): Made {
  const source = readSource(stringify(root), placeIn(FILE), { format: format.name, env, flags });
  const { faults, translation } = source;
  if (translation === undefined || faults.length > 0) throw new ConfigError(faults);
  const notes = translation.notes.map((note) => formatNote(note).replace(/^f:/, ''));
  const { outcome } = translation;
  if (outcome.kind === 'command')
    return { file: flagsOf(outcome.line), notes, settings: { line: outcome.line } };
  const printed = printConfig(outcome.root, 'Made.', translation.notes);
  const { shared, local } = parseConfigText(printed, { disk });
  return { file: parse(printed), notes, settings: { shared, local } };
}

/** `{ '--url': 'http://a:1' }` for `usher agent --url http://a:1`. */
function flagsOf(line: string): Record<string, string> {
  const words = [...line.matchAll(/'[^']*'|[^ ']+/g)].map(([word]) => word.replaceAll("'", ''));
  const flags = words.flatMap((word, index) =>
    word.startsWith('--') ? [[word, words[index + 1] ?? ''] as const] : [],
  );
  return Object.fromEntries(flags);
}

/** All values at a path such as `routes[].path`, of every item of a list; what is not there is undefined. */
export function valuesAt(root: unknown, path: string): readonly unknown[] {
  let values: readonly unknown[] = [root];
  for (const segment of path.replaceAll('[]', '.[]').split('.'))
    values = values.flatMap((value) => {
      if (segment === '[]') return Array.isArray(value) ? value : [];
      return typeof value === 'object' && value !== null && Object.hasOwn(value, segment)
        ? [Reflect.get(value, segment)]
        : [undefined];
    });
  return values;
}

/** Puts a value at a path such as `backends[].weight`: into the first item of a list. */
export function put(around: unknown, path: string, value: unknown): object {
  const [, name = '', item, rest = ''] = /^([^.[]*)(\[\])?\.?(.*)$/.exec(path) ?? [];
  const known: Record<string, unknown> = typeof around === 'object' && around !== null ? { ...around } : {};
  const inner = known[name];
  if (item === undefined) return { ...known, [name]: rest === '' ? value : put(inner, rest, value) };
  const [first, ...others]: unknown[] = Array.isArray(inner) ? inner : [];
  return { ...known, [name]: [rest === '' ? value : put(first, rest, value), ...others] };
}
