import {
  type Entry,
  type Input,
  inputOf,
  kindOf,
  type MapInput,
  type Plain,
  plainly,
  plainOf,
  scalarInput,
} from '../input/input.ts';
import { HIDDEN, join, type Reading } from '../reading.ts';
import { suggest } from '../suggest.ts';
import { writtenBy } from './collections.ts';
import type { JsonSchema, Key, Type } from './type.ts';

/** A message lists the keys of a small section only. */
const NAMES_IN_MESSAGE_MAX = 6;

interface KeyParts<T, To extends string> {
  readonly to: To;
  readonly type: Type<T>;
  readonly doc: string;
  readonly why?: string;
}

/** Declares a key that must be written. */
export function required<T, const To extends string>(parts: KeyParts<T, To>): Key<T, To> {
  return { ...parts, fallback: { kind: 'required' } };
}

/** Declares a key that has a default, given as one would write it. */
export function defaulted<T, const To extends string>(value: Plain, parts: KeyParts<T, To>): Key<T, To> {
  return { ...parts, fallback: { kind: 'default', value } };
}

/** Declares a key that may be left out; `doc` says what holds then. */
export function optional<T, const To extends string>(
  doc: string,
  parts: KeyParts<T, To>,
): Key<T | undefined, To> {
  return { ...parts, fallback: { kind: 'absent', doc } };
}

type Keys = Readonly<Record<string, Key>>;
/** What a section with these keys reads as. */
type Settings<K extends Keys> = {
  readonly [Name in keyof K as K[Name]['to']]: K[Name] extends Key<infer T> ? T : never;
};

/** A map with the given keys and no others. */
export function section<const K extends Keys>(keys: K): Type<Settings<K>> {
  return {
    ...sectionParts(keys, false),
    read(input, path, reading) {
      const { settings, others } = readSection(keys, input, path, reading);
      for (const [name, entry] of others) {
        reading.fault(join(path, name), entry.keyAt, 'unknown key', suggest(name, Object.keys(keys)));
      }
      return settings as Settings<K>;
    },
    write: (settings) => written(keys, settings),
  };
}

type Options = { readonly options: Readonly<Record<string, Plain>> };

/** A map with the given keys; all others are taken as they are and become `options`. */
export function openSection<const K extends Keys>(keys: K): Type<Settings<K> & Options> {
  return {
    ...sectionParts(keys, true),
    read(input, path, reading) {
      const { settings, others } = readSection(keys, input, path, reading);
      settings['options'] = Object.fromEntries(others.map(([name, entry]) => [name, plainOf(entry.value)]));
      // What an option means is unknown here, so it may be a secret.
      for (const [name, entry] of others) {
        reading.locate(join(path, name), entry.keyAt);
        reading.leaf(join(path, name), HIDDEN, entry.keyAt);
      }
      return settings as Settings<K> & Options;
    },
    write: ({ options, ...settings }) => ({ ...options, ...written(keys, settings) }),
  };
}

/** What no key stands for is written by its own name: whoever reads it says that there is no such key. */
function written(keys: Keys, settings: object): Record<string, Plain> {
  const names = new Map(Object.entries(keys).map(([name, key]) => [key.to, { name, key }]));
  return Object.fromEntries(
    Object.entries(settings).flatMap(([to, value]) => {
      if (value === undefined) return [];
      const found = names.get(to);
      return [found === undefined ? [to, plainly(value)] : [found.name, writtenBy(found.key.type, value)]];
    }),
  );
}

function sectionParts(keys: Keys, open: boolean): Pick<Type<unknown>, 'expects' | 'jsonSchema' | 'shape'> {
  const names = Object.keys(keys);
  return {
    expects: names.length > NAMES_IN_MESSAGE_MAX ? 'a map' : `a map with ${names.join(', ')}`,
    jsonSchema: sectionSchema(keys, open),
    shape: { kind: 'section', keys, open },
  };
}

/** The declared keys' values, and the entries that are none of them. */
function readSection(
  keys: Keys,
  input: Input,
  path: string,
  reading: Reading,
): { settings: Record<string, unknown>; others: [string, Entry][] } {
  const settings: Record<string, unknown> = {};
  reading.remember(settings, path);
  if (input.kind !== 'map') {
    reading.fault(path, input.at, `expected ${sectionParts(keys, false).expects}, found ${kindOf(input)}`);
    const empty: MapInput = { kind: 'map', entries: new Map(), at: input.at };
    return reading.quietly(() => readSection(keys, empty, path, reading));
  }
  for (const [name, key] of Object.entries(keys)) {
    const value = readKey(name, key, input, path, reading);
    if (value !== undefined) settings[key.to] = value;
  }
  return { settings, others: Array.from(input.entries).filter(([name]) => !Object.hasOwn(keys, name)) };
}

function readKey(name: string, key: Key, map: MapInput, path: string, reading: Reading): unknown {
  const at = join(path, name);
  const entry = map.entries.get(name);
  if (entry !== undefined) {
    reading.locate(at, entry.value.kind === 'scalar' ? entry.value.at : entry.keyAt);
    return key.type.read(entry.value, at, reading);
  }
  if (key.fallback.kind === 'absent') return undefined;
  if (key.fallback.kind === 'default') return key.type.read(inputOf(key.fallback.value), at, reading);
  reading.fault(at, map.at, `missing; expected ${key.type.expects}`);
  return reading.quietly(() => key.type.read(scalarInput('', map.at), at, reading));
}

function sectionSchema(keys: Keys, open: boolean): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  const must: string[] = [];
  for (const [name, key] of Object.entries(keys)) {
    const initial = key.fallback.kind === 'default' ? { default: key.fallback.value } : {};
    properties[name] = { description: key.doc, ...initial, ...key.type.jsonSchema };
    if (key.fallback.kind === 'required') must.push(name);
  }
  return {
    type: 'object',
    properties,
    ...(must.length === 0 ? {} : { required: must }),
    additionalProperties: open,
  };
}
