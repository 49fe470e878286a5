import { emptyFleet, type FleetState } from '@usher/domain';

/** Raise it when FleetState changes shape: older snapshots are then ignored and the log is replayed from its start. */
export const SNAPSHOT_FORMAT = 8;

interface Saved {
  readonly state: FleetState;
  /** First event ids of the newest records, oldest first. */
  readonly recent: readonly string[];
  /** Id of the first event of the last record. */
  readonly lastId?: string | undefined;
}

/**
 * Maps and sets do not survive JSON: each becomes an object whose only key is a tag. An object of the state that looks
 * so by itself, for instance the options of a plugin, is tagged as well, so that it is not taken for one.
 */
const TAGS: Readonly<Record<string, (entries: readonly unknown[]) => unknown>> = {
  $map: (entries) => new Map(entries as [string, unknown][]),
  $set: (members) => new Set(members),
  $object: (entries) => Object.fromEntries(entries as [string, unknown][]),
};

export function saveState(saved: Saved): string {
  return JSON.stringify(saved, (_key, value: unknown) => {
    if (value instanceof Map) return { $map: [...value] };
    if (value instanceof Set) return { $set: [...value] };
    return tagOf(value) === undefined ? value : { $object: Object.entries(value as object) };
  });
}

/** Undefined when the text is not that of a state. */
export function restoreState(text: string): Saved | undefined {
  try {
    const saved = JSON.parse(text, (_key, value: unknown) => restoreValue(value)) as Saved;
    const state = { ...emptyFleet(), ...saved.state };
    return isWhole(state) && Array.isArray(saved.recent) ? { ...saved, state } : undefined;
  } catch {
    return undefined;
  }
}

function restoreValue(value: unknown): unknown {
  const tag = tagOf(value);
  if (tag === undefined) return value;
  return TAGS[tag]?.((value as Record<string, readonly unknown[]>)[tag] ?? []);
}

/** The tag that an object has as its only key, if any. */
function tagOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const [key, ...others] = Object.keys(value);
  return key !== undefined && others.length === 0 && Object.hasOwn(TAGS, key) ? key : undefined;
}

function isWhole(state: FleetState): boolean {
  const expected = Object.entries(emptyFleet()) as [keyof FleetState, unknown][];
  return expected.every(([name, value]) => value instanceof Map === state[name] instanceof Map);
}
