import type { Fault, Place } from './fault.ts';
import { type Input, scalarInput } from './input/input.ts';
import { parseYaml } from './input/yaml.ts';
import { suggest } from './suggest.ts';
import { Refusal, refuse, type Shape, type Type } from './types/type.ts';

/** One value given on the command line: `timeouts.idle` and `30s`. */
export interface Override {
  readonly path: string;
  readonly value: string;
}

export interface Overridden {
  readonly root: Input;
  readonly faults: readonly Fault[];
  /** Faults of variables that name no key; void for those that turn out to be read as secrets. */
  readonly unknownVariables: ReadonlyMap<string, Fault>;
}

const PREFIX = 'USHER_';
const SEPARATOR = '__';
const UNKNOWN = 'unknown key';
/**
 * Variables that Kubernetes and Docker set for every service whose name starts with `usher`, such as
 * `USHER_SERVICE_HOST` and `USHER_PORT_8080_TCP`. Nobody wrote them, so they are not mistakes.
 */
const SERVICE_LINK =
  /^USHER(_[A-Z0-9]+)*_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9]+)*|PORT(_[0-9]+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?)$/;

/** Lays environment variables and then command-line values over what a file says. */
export function applyOverrides(
  type: Type<unknown>,
  file: Input,
  env: Readonly<Record<string, string | undefined>>,
  flags: readonly Override[],
): Overridden {
  let root = file;
  const faults: Fault[] = [];
  const unknownVariables = new Map<string, Fault>();
  for (const [name, value] of usherVariables(env)) {
    const spelled = name.slice(PREFIX.length);
    const found = findKey(type, spelled.toLowerCase().split(SEPARATOR), root, sameInEnvironment);
    const label = `env ${name}`;
    if (found instanceof Refusal) {
      const meant = suggestKey(spelled, allPaths(type, root).map(spellForEnvironment), SEPARATOR);
      unknownVariables.set(name, notFound(label, found, meant && PREFIX + meant));
    } else {
      root = put(root, found, value, label, faults);
    }
  }
  for (const { path, value } of flags) {
    const found = findKey(type, path.split('.'), root, (key, segment) => key === segment);
    const label = `flag --set ${path}`;
    if (found instanceof Refusal) {
      const known = allPaths(type, root).map((segments) => segments.join('.'));
      faults.push(notFound(label, found, suggestKey(path, known, '.')));
    } else {
      root = put(root, found, value, label, faults);
    }
  }
  return { root, faults, unknownVariables };
}

function notFound(label: string, { message }: Refusal, suggestion: string | undefined): Fault {
  const place: Place = { kind: 'override', label, path: '' };
  return { place, path: '', message, suggestion: message === UNKNOWN ? suggestion : undefined };
}

/** A key with nearly that name, or one whose last part is that name. */
function suggestKey(name: string, known: readonly string[], separator: string): string | undefined {
  return suggest(name, known) ?? known.find((key) => key.endsWith(separator + name));
}

/** Outer keys come before inner ones, so that both count when both are given. */
function usherVariables(env: Readonly<Record<string, string | undefined>>): [name: string, value: string][] {
  return Object.entries(env)
    .filter((entry): entry is [string, string] => entry[1] !== undefined && entry[0].startsWith(PREFIX))
    .filter(([name]) => !SERVICE_LINK.test(name))
    .toSorted(([a], [b]) => depth(a) - depth(b) || (a < b ? -1 : 1));
}

interface FoundKey {
  readonly path: readonly string[];
  readonly shape: Shape;
}

function depth(name: string): number {
  return name.split(SEPARATOR).length;
}

/** Follows a path through the declared keys. Names that users choose are compared with those in the file by `same`. */
function findKey(
  type: Type<unknown>,
  segments: readonly string[],
  root: Input,
  same: (key: string, segment: string) => boolean,
): FoundKey | Refusal {
  const path: string[] = [];
  let { shape } = type;
  let current: Input | undefined = root;
  for (const segment of segments) {
    if (shape.kind === 'either') shape = shape.other.shape;
    if (shape.kind === 'list')
      return refuse(`${path.join('.')} is a list, which can only be given as a whole`);
    if (shape.kind === 'scalar' || shape.kind === 'either')
      return refuse(`${path.join('.')} has no keys below it`);
    const names = current?.kind === 'map' ? [...current.entries.keys()] : [];
    const name: string =
      shape.kind === 'record' ? (names.find((key) => same(key, segment)) ?? segment) : segment;
    if (shape.kind === 'record') shape = shape.value.shape;
    else if (Object.hasOwn(shape.keys, name)) shape = shape.keys[name]!.type.shape;
    else return refuse(UNKNOWN);
    current = current?.kind === 'map' ? current.entries.get(name)?.value : undefined;
    path.push(name);
  }
  return { path, shape };
}

/** Names of variables have no `-` and no lower case. */
function sameInEnvironment(key: string, segment: string): boolean {
  return key.toLowerCase().replaceAll('-', '_') === segment;
}

function spellForEnvironment(path: readonly string[]): string {
  return path.map((segment) => segment.toUpperCase().replaceAll('-', '_')).join(SEPARATOR);
}

/** The paths of all keys outside lists, with the user's own names as far as they are known. */
function allPaths({ shape }: Type<unknown>, current: Input | undefined): string[][] {
  if (shape.kind === 'either') return allPaths(shape.other, current);
  if (shape.kind !== 'section' && shape.kind !== 'record') return [];
  const entries = current?.kind === 'map' ? current.entries : undefined;
  const children: [string, Type<unknown>][] =
    shape.kind === 'section'
      ? Object.entries(shape.keys).map(([name, key]) => [name, key.type])
      : [...(entries?.keys() ?? [])].map((name) => [name, shape.value]);
  return children.flatMap(([name, type]) => [
    [name],
    ...allPaths(type, entries?.get(name)?.value).map((below) => [name, ...below]),
  ]);
}

/** Puts a value where it belongs; what is in its way gives way. */
function put(root: Input, { path, shape }: FoundKey, value: string, label: string, faults: Fault[]): Input {
  const dotted = path.join('.');
  const place: Place = { kind: 'override', label, path: dotted };
  const input = inputFromText(value, shape, place, (message) =>
    faults.push({ place, path: dotted, message }),
  );
  const putBelow = (current: Input | undefined, depth: number): Input => {
    const name = path[depth];
    if (name === undefined) return input;
    const map = current?.kind === 'map' ? current : { kind: 'map' as const, entries: new Map(), at: place };
    const entries = new Map(map.entries);
    const below = putBelow(map.entries.get(name)?.value, depth + 1);
    entries.set(name, { keyAt: place, value: below });
    return { ...map, entries };
  };
  return putBelow(root, 0);
}

/** A value from outside the file: words as they are, lists separated by commas, everything else as YAML in one line. */
function inputFromText(text: string, shape: Shape, at: Place, report: (message: string) => void): Input {
  const trimmed = text.trim();
  const isYaml =
    (shape.kind !== 'scalar' && trimmed.startsWith('{') && trimmed.endsWith('}')) ||
    (shape.kind === 'list' && trimmed.startsWith('[') && trimmed.endsWith(']'));
  if (isYaml) {
    const { root, faults } = parseYaml(trimmed, () => at);
    if (faults[0] !== undefined) report(faults[0].message);
    return root ?? scalarInput(null, at);
  }
  if (shape.kind !== 'list') return scalarInput(trimmed, at, true);
  const parts = trimmed.split(',').map((part) => part.trim());
  return { kind: 'list', at, items: parts.filter(Boolean).map((part) => scalarInput(part, at, true)) };
}
