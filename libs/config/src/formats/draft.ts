import { DEFAULT_PLACE, type Place } from '../fault.ts';
import { type Entry, type Input, type MapInput, scalarInput } from '../input/input.ts';

/** Parts of a configuration of Usher that is made from another file: every value keeps the place that it comes from. */

export function value(written: string | number | boolean, at: Place = DEFAULT_PLACE): Input {
  return scalarInput(written, at);
}

export function values(written: readonly (string | number)[], at: Place = DEFAULT_PLACE): Input {
  return series(
    written.map((item) => value(item, at)),
    at,
  );
}

export function series(items: readonly Input[], at: Place = items[0]?.at ?? DEFAULT_PLACE): Input {
  return { kind: 'list', items, at };
}

/** A map of what is defined. Without a place of its own it has that of its first value that was written. */
export function map(parts: Readonly<Record<string, Input | undefined>>, at?: Place): MapInput {
  const entries = new Map<string, Entry>();
  for (const [key, part] of Object.entries(parts)) {
    if (part !== undefined) entries.set(key, { keyAt: part.at, value: part });
  }
  return { kind: 'map', entries, at: at ?? writtenPlace([...entries.values()]) };
}

/** The map, or nothing when it is empty. */
export function unlessEmpty(made: MapInput): MapInput | undefined {
  return made.entries.size === 0 ? undefined : made;
}

function writtenPlace(entries: readonly Entry[]): Place {
  return entries.find(({ keyAt }) => keyAt.kind !== 'default')?.keyAt ?? DEFAULT_PLACE;
}

const UNITS = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/** A time as Usher writes it, in the largest unit that has no fraction. */
export function duration(ms: number): string {
  const unit = UNITS.find(([, size]) => ms >= size && ms % size === 0);
  return unit === undefined ? `${Math.round(ms)}ms` : `${ms / unit[1]}${unit[0]}`;
}

const SIZES = [
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
] as const;

/** An amount of bytes as Usher writes it. */
export function size(bytes: number): string {
  const unit = SIZES.find(([, factor]) => bytes >= factor && bytes % factor === 0);
  return unit === undefined ? `${Math.round(bytes)}B` : `${bytes / unit[1]}${unit[0]}`;
}

/** A rate as Usher writes it, in the shortest period in which it is a whole number. */
export function rate(perSecond: number): string {
  for (const [unit, seconds] of [
    ['s', 1],
    ['m', 60],
    ['h', 3600],
  ] as const) {
    const count = perSecond * seconds;
    if (count >= 1 && Math.abs(count - Math.round(count)) < 1e-9) return `${Math.round(count)}/${unit}`;
  }
  return `${Math.max(1, Math.round(perSecond * 3600))}/h`;
}
