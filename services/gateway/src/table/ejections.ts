import {
  EJECTION_MAX_MS,
  type Eligibility,
  eject,
  ejectedMax,
  ejectionRecord,
  ejectUntil,
  readmit,
} from '@usher/domain';
import type { BackendSlot, PoolTable, TableDelta } from '../routing-table.ts';
import type { PoolNews } from './pool-news.ts';

const TAKEN_OUT: ReadonlySet<Eligibility> = new Set(['draining', 'drained', 'disabled']);

/** It belongs to the pool as its operators want it: what share of a pool is ejected or eligible is a share of these. */
export function isInService({ fullWeight, barred }: Pick<BackendSlot, 'fullWeight' | 'barred'>): boolean {
  return fullWeight > 0 && !TAKEN_OUT.has(barred);
}

/** How many of the pool may be ejected at a time, as it is now. */
function mayBeEjected({ slots, settings: { passive } }: PoolTable): number {
  if (passive?.enabled !== true) return 0;
  return ejectedMax(slots.filter(isInService).length, passive.maxEjected);
}

/**
 * Works out which ejections count. The pool may have become smaller since: then those that would end first count no more, so
 * that never more of a pool is left out than its settings allow.
 */
export function honourEjections(pool: PoolTable): void {
  const ejected = pool.slots.filter((slot) => slot.ejection.untilMs !== 0 && isInService(slot));
  for (const slot of pool.slots) slot.ejected = false;
  if (ejected.length === 0) return;
  ejected.sort((a, b) => b.ejection.untilMs - a.ejection.untilMs);
  for (const slot of ejected.slice(0, mayBeEjected(pool))) slot.ejected = true;
}

/**
 * Counts an attempt that ended, and ejects its backend if that is due, if the pool may do without one more, and if somebody else
 * of it is `admitted`. Answers with what the others should hear.
 */
export function noteEnd(
  pool: PoolTable,
  slot: BackendSlot,
  failed: boolean,
  startedMs: number,
  nowMs: number,
  admitted: (slot: BackendSlot) => boolean,
): PoolNews | undefined {
  const { passive } = pool.settings;
  if (passive?.enabled !== true) return undefined;
  const { ejection } = slot;
  const cause = ejectionRecord(ejection, passive, failed, startedMs, nowMs);
  if (cause === undefined) return undefined;
  const ejected = pool.slots.filter((each) => each.ejected).length;
  if (ejected >= mayBeEjected(pool)) return undefined;
  if (!pool.slots.some((other) => other !== slot && admitted(other))) return undefined;
  const { failuresInRow, windowFailures, windowRequests } = ejection;
  const counts =
    cause === 'in_a_row'
      ? { requests: failuresInRow, failures: failuresInRow }
      : { requests: windowRequests, failures: windowFailures };
  const untilMs = Math.ceil(eject(ejection, passive, nowMs));
  return {
    kind: 'ejected',
    pool: pool.id,
    backend: slot.id,
    cause,
    ...counts,
    untilMs,
    times: ejection.times,
  };
}

/** Takes up what another worker, or the gateway, decided. */
export function hearOfEjection(
  { ejection }: BackendSlot,
  delta: Extract<TableDelta, { kind: 'ejected' | 'readmitted' }>,
  nowMs: number,
): void {
  if (delta.kind === 'ejected') ejectUntil(ejection, delta.untilMs, delta.times);
  else if (ejection.untilMs !== 0) readmit(ejection, nowMs);
}

/** Lets time pass. Answers with what the others should hear when the backend is back. */
export function tickEjection(pool: PoolTable, slot: BackendSlot, nowMs: number): PoolNews | undefined {
  const { untilMs } = slot.ejection;
  const ejectForMs = pool.settings.passive?.ejectForMs ?? 0;
  // Further away than it ever can be: the clock was set back, or the settings are others.
  const misplaced = untilMs - nowMs > Math.max(ejectForMs, EJECTION_MAX_MS) + 1;
  if (untilMs === 0 || (nowMs < untilMs && !misplaced)) return undefined;
  readmit(slot.ejection, nowMs);
  return { kind: 'readmitted', pool: pool.id, backend: slot.id };
}
