import { DEFAULT_PLACE, type Place } from '../fault.ts';

/** What was written, each value with its place: the common form of the file, of overrides and of defaults. */
export type Input = ScalarInput | ListInput | MapInput;

export interface ScalarInput {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** As written, without quotes. */
  readonly text: string;
  /** Text whose type is open, as the values of environment variables and flags are. */
  readonly loose: boolean;
  readonly at: Place;
}

interface ListInput {
  readonly kind: 'list';
  readonly items: readonly Input[];
  readonly at: Place;
}

export interface MapInput {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, Entry>;
  readonly at: Place;
}

export interface Entry {
  readonly keyAt: Place;
  readonly value: Input;
}

/** A value without places, as defaults and plugin options have it. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

export function scalarInput(value: string | number | boolean | null, at: Place, loose = false): ScalarInput {
  return { kind: 'scalar', value, text: String(value ?? ''), loose, at };
}

/** Gives a plain value the form of an input; every part of it is at `at`. */
export function inputOf(plain: Plain, at: Place = DEFAULT_PLACE): Input {
  if (plain === null || typeof plain !== 'object') return scalarInput(plain, at);
  if (isPlainList(plain)) return { kind: 'list', items: plain.map((item) => inputOf(item, at)), at };
  const entries = new Map<string, Entry>();
  for (const [key, value] of Object.entries(plain))
    entries.set(key, { keyAt: at, value: inputOf(value, at) });
  return { kind: 'map', entries, at };
}

/** The value without its places. */
export function plainOf(input: Input): Plain {
  if (input.kind === 'scalar') return input.value;
  if (input.kind === 'list') return input.items.map(plainOf);
  return Object.fromEntries(Array.from(input.entries, ([key, entry]) => [key, plainOf(entry.value)]));
}

/** A value of which nothing but its members counts; what is none of these has no place in a file and becomes null. */
export function plainly(value: unknown): Plain {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map(plainly);
  if (typeof value !== 'object' || value === null) return null;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, plainly(member)]));
}

/** What kind of value it is, for messages; never the value itself. */
export function kindOf(input: Input): string {
  if (input.kind !== 'scalar') return `a ${input.kind}`;
  if (input.value === null || input.text === '') return 'nothing';
  if (typeof input.value === 'string') return 'text';
  return typeof input.value === 'number' ? 'a number' : 'true or false';
}

// `Array.isArray` does not narrow a readonly array.
function isPlainList(plain: Plain): plain is readonly Plain[] {
  return Array.isArray(plain);
}
