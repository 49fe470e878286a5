import { DEFAULT_PLACE, type Place } from '../fault.ts';
import { type Input, kindOf } from '../input/input.ts';
import { Refusal } from '../types/type.ts';
import type { Kind } from './kinds.ts';
import type { Remarks } from './remarks.ts';

/** All there is to say about one key of another system; the pages in docs/migrate are made from it. */
export interface ForeignKey<T> {
  readonly kind: Kind<unknown>;
  /** What that system documents to hold when the key is absent. */
  readonly fallback: T;
  /** The same as one would write it; empty when there is none. */
  readonly shown: string;
  /** What stands for it in Usher; empty = nothing does. */
  readonly ours: string;
  /** What is to be known about it. */
  readonly note: string;
}

/** By paths, such as `server.port` and `backends[].url`. */
export type ForeignTable = Readonly<Record<string, ForeignKey<unknown>>>;

type ValueOf<K> = K extends ForeignKey<infer T> ? T : never;

/** Declares a key that has a default. */
export function defaulted<T>(kind: Kind<T>, fallback: T, ours: string, note = ''): ForeignKey<T> {
  return { kind, fallback, shown: kind.show?.(fallback) ?? JSON.stringify(fallback), ours, note };
}

/** Declares a key without one. */
export function optional<T>(kind: Kind<T>, ours: string, note = ''): ForeignKey<T | undefined> {
  return { kind, fallback: undefined, shown: '', ours, note };
}

/** The value of a key and where it is from. */
export interface Given<T> {
  readonly value: T;
  readonly at: Place;
  readonly path: string;
  /** Whether somebody wrote it, as opposed to its default. */
  readonly written: boolean;
}

/** A file of another system, or one item of a list in it, read by the keys declared for it. */
export class ForeignFile<T extends ForeignTable> {
  readonly #table: T;
  readonly #input: Input;
  readonly #remarks: Remarks;
  readonly #prefix: string;

  constructor(table: T, input: Input, remarks: Remarks, prefix = '') {
    this.#table = table;
    this.#input = input;
    this.#remarks = remarks;
    this.#prefix = prefix;
  }

  get at(): Place {
    return this.#input.at;
  }

  get remarks(): Remarks {
    return this.#remarks;
  }

  /** The value of a key. One that is null counts as absent, one that is wrong is a fault and counts as absent. */
  get<P extends keyof T & string>(path: P): Given<ValueOf<T[P]>> {
    const { kind, fallback } = this.#table[path]!;
    const input = this.#find(path);
    const absent = { value: fallback as ValueOf<T[P]>, at: DEFAULT_PLACE, path, written: false };
    if (input === undefined || (input.kind === 'scalar' && input.value === null)) return absent;
    const parsed = kind.parse(input);
    if (!(parsed instanceof Refusal))
      return { value: parsed as ValueOf<T[P]>, at: input.at, path, written: true };
    this.#remarks.fault(path, input.at, parsed.message, parsed.suggestion);
    return absent;
  }

  /** The items of a list. */
  items(path: string): ForeignFile<T>[] {
    const input = this.#find(path);
    if (input === undefined || (input.kind === 'scalar' && input.value === null)) return [];
    if (input.kind !== 'list') {
      this.#remarks.fault(path, input.at, `expected a list, found ${kindOf(input)}`);
      return [];
    }
    return input.items.map((item) => new ForeignFile(this.#table, item, this.#remarks, `${path}[]`));
  }

  /** Where a section begins, or what is around it. */
  placeOf(path: string): Place {
    return this.#find(path)?.at ?? this.#input.at;
  }

  /** What a path leads to, as it was written. */
  input(path: string): Input | undefined {
    return this.#find(path);
  }

  #find(path: string): Input | undefined {
    const below = path.slice(this.#prefix.length).replace(/^\./, '');
    let input: Input | undefined = this.#input;
    if (below === '') return input;
    for (const segment of below.split('.')) {
      if (input === undefined || (input.kind === 'scalar' && input.value === null)) return undefined;
      if (input.kind !== 'map') {
        this.#remarks.fault(path, input.at, `expected a map, found ${kindOf(input)}`);
        return undefined;
      }
      input = input.entries.get(segment)?.value;
    }
    return input;
  }
}

/** A key that is in a file and that a system does not know. */
export interface Stranger {
  readonly path: string;
  readonly at: Place;
  readonly input: Input;
}

/** Everything in a file that does not fit the keys of a system. */
export function strangers(table: ForeignTable, root: Input): Stranger[] {
  const known = new Set(Object.keys(table));
  const sections = new Set<string>();
  for (const path of known) {
    for (
      let at = path.length;
      at > 0;
      at = Math.max(path.lastIndexOf('.', at - 1), path.lastIndexOf('[]', at - 1))
    )
      sections.add(path.slice(0, at));
  }
  const found: Stranger[] = [];
  const visit = (input: Input, path: string, at: Place): void => {
    const isEmpty = input.kind === 'scalar' && input.value === null;
    if (path !== '' && !known.has(path) && !sections.has(path)) found.push({ path, at, input });
    else if (input.kind === 'map' && hasBelow(sections, path, '.')) {
      for (const [key, { keyAt, value }] of input.entries)
        visit(value, path === '' ? key : `${path}.${key}`, keyAt);
    } else if (input.kind === 'list' && sections.has(`${path}[]`)) {
      for (const item of input.items) visit(item, `${path}[]`, item.at);
    } else if (!known.has(path) && !isEmpty) found.push({ path, at, input });
  };
  visit(root, '', root.at);
  return found;
}

function hasBelow(sections: ReadonlySet<string>, path: string, separator: string): boolean {
  if (path === '') return true;
  for (const section of sections) if (section.startsWith(path + separator)) return true;
  return false;
}
