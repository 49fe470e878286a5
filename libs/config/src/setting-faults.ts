import { type BackendSettings, canonicalJson, type SharedSettings } from '@usher/domain';
import { formatWithoutPlace } from './fault.ts';
import type { Disk } from './input/disk.ts';
import { inputOf, type Plain } from './input/input.ts';
import { backend } from './keys/backend.ts';
import { poolSettings } from './keys/pool.ts';
import { POLICY_KEYS } from './keys/root.ts';
import { route } from './keys/route.ts';
import { join, Reading, type Surroundings } from './reading.ts';
import { writtenBy } from './types/collections.ts';
import { section } from './types/section.ts';
import type { Type } from './types/type.ts';

/** As long as any secret has to be. */
const SOME_SECRET = 'a1B2c3D4e5F6g7H8'.repeat(4);
/** What a file refers to lies on other machines, and commands may not bring in anything new of that kind. */
const everything: Disk = { readBytes: () => Buffer.from(SOME_SECRET), isFile: () => true };
const ELSEWHERE: Surroundings = {
  env: new Proxy({}, { get: () => SOME_SECRET }),
  folder: '/',
  disk: everything,
  hostname: '',
};

const policy = section(POLICY_KEYS);

/**
 * What is wrong with settings that did not come from a file, by the rules of files and in their words: each fault as `key: sentence`.
 * Nothing is said of what was like that before. References between parts are for `configFaults`.
 */
export function settingFaults(before: SharedSettings, after: SharedSettings): string[] {
  return [
    ...faultsOfParts('pools', before.pools, after.pools, (each, path) =>
      faultsOf(poolSettings(each.id), each, path),
    ),
    ...faultsOfParts('backends', before.backends, after.backends, ofBackend),
    ...faultsOfParts('routes', before.routes, after.routes, (each, path) => faultsOf(route, each, path)),
    ...changedFaults(policyOf(before), policyOf(after), (each) => faultsOf(policy, each, '')),
  ];
}

/** As `settingFaults`, of one backend. */
export function backendFaults(before: BackendSettings | undefined, after: BackendSettings): string[] {
  return changedFaults(before, after, (each) => ofBackend(each, `backends.${each.id}`));
}

function ofBackend({ pool: _pool, ...settings }: BackendSettings, path: string): string[] {
  return faultsOf(backend, settings, path);
}

function policyOf({ pools: _pools, backends: _backends, routes: _routes, traffic, ...rest }: SharedSettings) {
  return { ...rest, ...traffic };
}

function faultsOfParts<T extends { readonly id: string }>(
  kind: string,
  before: readonly T[],
  after: readonly T[],
  faults: (part: T, path: string) => string[],
): string[] {
  const known = new Map(before.map((part) => [part.id, part]));
  return after.flatMap((part) =>
    changedFaults(known.get(part.id), part, (each) => faults(each, `${kind}.${each.id}`)),
  );
}

function changedFaults<T>(before: T | undefined, after: T, faults: (value: T) => string[]): string[] {
  // Most parts are the very same.
  if (before === after || canonicalJson({ before }) === canonicalJson({ before: after })) return [];
  const old = new Set(before === undefined ? [] : faults(before));
  return faults(after).filter((fault) => !old.has(fault));
}

function faultsOf(type: Type<unknown>, settings: object, path: string): string[] {
  const plain: Plain = writtenBy(type, settings);
  const reading = new Reading(ELSEWHERE, []);
  const read = type.read(inputOf(plain), path, reading);
  if (reading.faults.length > 0) return reading.faults.map(formatWithoutPlace);
  return [...strangeLetters(plain, writtenBy(type, read), path)];
}

/**
 * Where capitals are that a file's reader makes small letters, in a host for instance: gateways compare settings with requests as
 * they are, so a host in capitals would be asked for by nobody.
 */
function* strangeLetters(given: Plain, usual: Plain, path: string): Generator<string> {
  const [parts, usualParts] = [partsOf(given, path), partsOf(usual, path)];
  for (const [name, part] of parts) yield* strangeLetters(part, usualParts.get(name) ?? null, name);
  if (typeof given !== 'string' || typeof usual !== 'string' || given === usual) return;
  if (given.toLowerCase() === usual.toLowerCase())
    yield `${path}: has to be in small letters: expected ${usual}, found ${given}`;
}

/** By their paths. */
function partsOf(plain: Plain, path: string): ReadonlyMap<string, Plain> {
  if (typeof plain !== 'object' || plain === null) return new Map();
  if (isList(plain)) return new Map(plain.map((part, at) => [`${path}[${at}]`, part]));
  return new Map(Object.entries(plain).map(([name, part]) => [join(path, name), part]));
}

function isList(plain: Plain): plain is readonly Plain[] {
  return Array.isArray(plain);
}
