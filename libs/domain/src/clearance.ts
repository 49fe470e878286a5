import type { PoolState } from './fleet.ts';

/** From when on sessions begin anew: what was before does not count any more. */
export interface Clearance {
  /** Of the record that says so. */
  readonly position: number;
  readonly atMs: number;
}

/** Which sessions of a pool were cleared, and when. */
export interface ClearedSessions {
  /** All of them; null = never. */
  all: Clearance | null;
  /** Single ones since then, oldest first, as long as anything from before might still count. */
  one: Map<string, Clearance>;
}

/** Single sessions that are remembered as cleared, at most. */
export const CLEARED_SESSIONS_MAX = 1000;

export function noneCleared(): ClearedSessions {
  return { all: null, one: new Map() };
}

/** Those single ones of which something from before might still count at a time. */
export function clearedStill({ cleared, settings }: PoolState, nowMs: number): Map<string, Clearance> {
  const ttlMs = settings.sticky?.ttlMs ?? 0;
  return new Map([...cleared.one].filter(([, { atMs }]) => nowMs - atMs < ttlMs));
}

/** When a session was cleared last, by itself or with all. */
export function clearanceOf({ cleared }: PoolState, session: string): Clearance | null {
  return cleared.one.get(session) ?? cleared.all;
}
