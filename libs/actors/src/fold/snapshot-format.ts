import { emptyFleet, type FleetState } from '@usher/domain';

/** Raise it when FleetState changes shape: older snapshots are then ignored and the log is replayed from its start. */
export const SNAPSHOT_FORMAT = 2;

interface Saved {
  readonly state: FleetState;
  /** First event ids of the newest records, oldest first. */
  readonly recent: readonly string[];
}

/** Maps and sets do not survive JSON; they are tagged with one key that no state object uses. */
export function saveState(saved: Saved): string {
  return JSON.stringify(saved, (_key, value: unknown) => {
    if (value instanceof Map) return { $map: [...value] };
    if (value instanceof Set) return { $set: [...value] };
    return value;
  });
}

export function restoreState(text: string): Saved {
  const saved = JSON.parse(text, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null) return value;
    if ('$map' in value) return new Map(value.$map as [string, unknown][]);
    if ('$set' in value) return new Set(value.$set as string[]);
    return value;
  }) as Saved;
  return { state: { ...emptyFleet(), ...saved.state }, recent: saved.recent };
}
