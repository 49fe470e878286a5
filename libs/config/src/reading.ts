import { type Fault, formatPlace, type Place } from './fault.ts';
import type { Disk } from './input/disk.ts';

/** What a configuration may refer to outside itself. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute; relative paths in the configuration start here. */
  readonly folder: string;
  readonly disk: Disk;
  readonly hostname: string;
}

/** Stands for a value that must not be shown. */
export const HIDDEN = '(hidden)';

/** One effective value as a person would write it; secrets are masked. */
export interface Leaf {
  readonly path: string;
  readonly value: string;
  readonly place: Place;
}

/** One pass over a configuration: collects every fault instead of stopping at the first, and remembers where values came from. */
export class Reading {
  readonly surroundings: Surroundings;
  readonly leaves: Leaf[] = [];
  /** Names of the environment variables that were read as secrets. */
  readonly variables = new Set<string>();
  readonly #faults: Fault[];
  #muted = false;
  readonly #faultyPaths = new Set<string>();
  readonly #brokenPlaces: ReadonlySet<string>;
  readonly #places = new Map<string, Place>();
  readonly #paths = new WeakMap<object, string>();

  /** `faults` are those known before; nothing more is said about their places. */
  constructor(surroundings: Surroundings, faults: readonly Fault[]) {
    this.surroundings = surroundings;
    this.#faults = [...faults];
    this.#brokenPlaces = new Set(faults.map((fault) => formatPlace(fault.place)));
  }

  get faults(): readonly Fault[] {
    return this.#faults;
  }

  /** Notes a fault. A path gets one at most: what follows from a fault is not worth saying. */
  fault(path: string, place: Place, message: string, suggestion?: string): void {
    if (this.#muted || this.#faultyPaths.has(path) || this.#brokenPlaces.has(formatPlace(place))) return;
    this.#faultyPaths.add(path);
    this.#faults.push({ place, path, message, suggestion });
  }

  isFaulty(path: string): boolean {
    return this.#faultyPaths.has(path);
  }

  /** Reads a stand-in for something faulty, which would only repeat the fault in other words. */
  quietly<T>(read: () => T): T {
    const before = this.#muted;
    this.#muted = true;
    const value = read();
    this.#muted = before;
    return value;
  }

  /** Remembers the place of a key. */
  locate(path: string, place: Place): void {
    this.#places.set(path, place);
  }

  leaf(path: string, value: string, place: Place): void {
    this.leaves.push({ path, value, place });
  }

  /** Remembers which path an object was read from, so that checks on the result can name its keys. */
  remember<T>(value: T, path: string): T {
    if (typeof value === 'object' && value !== null) this.#paths.set(value, path);
    return value;
  }

  pathOf(value: object): string {
    return this.#paths.get(value) ?? '';
  }

  /** Whether a key was written by someone, as opposed to defaulted. */
  isWritten(value: object, key: string): boolean {
    const place = this.#places.get(join(this.pathOf(value), key));
    return place !== undefined && place.kind !== 'default';
  }

  /** Place of a key of an object that was read, or of the nearest thing around it that was written. */
  placeOf(value: object, key = ''): Place {
    let path = join(this.pathOf(value), key);
    for (;;) {
      const place = this.#places.get(path);
      if (path === '' || (place !== undefined && place.kind !== 'default'))
        return place ?? { kind: 'default' };
      path = path.slice(0, Math.max(path.lastIndexOf('.'), path.lastIndexOf('['), 0));
    }
  }

  /** Notes a fault at a key of an object that was read. */
  complain(value: object, key: string, message: string, suggestion?: string): void {
    this.fault(join(this.pathOf(value), key), this.placeOf(value, key), message, suggestion);
  }
}

/** Path of a key inside another path; either may be empty. */
export function join(path: string, key: string): string {
  if (path === '' || key === '') return path + key;
  return `${path}.${key}`;
}
