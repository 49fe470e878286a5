import { breakerClose, breakerHalfOpen, closedBreaker, newCells, notEjected } from '@usher/domain';
import type { BackendRow, BackendSlot, PoolTable } from '../routing-table.ts';
import type { Hosts } from './addresses.ts';
import { endpointsOf } from './endpoints.ts';

/** A fresh slot for the URLs in a row; all its counters are zero. `phase`: see `ChoiceCells`. `worker`: whose it is. */
export function newSlot(
  row: BackendRow,
  index: number,
  pool: PoolTable,
  hosts: Hosts,
  phase: number,
  worker: number,
): BackendSlot {
  return {
    ...newCells(phase),
    ...endpointsOf(row, pool, hosts),
    id: row.id,
    index,
    pool,
    weight: row.weight,
    fullWeight: row.weight,
    priority: row.priority ?? 0,
    admittedMs: 0,
    eligible: row.eligible,
    barred: row.barred,
    lastResort: row.lastResort,
    trialLimit: trialLimitOf(row, worker),
    fleetHalfOpen: row.halfOpen,
    own: 0,
    inFlight: 0,
    base: 0,
    facts: undefined,
    requests: 0,
    failures: 0,
    latencySumMs: 0,
    breaker: closedBreaker(),
    ejection: notEjected(),
    ejected: false,
    limit: undefined,
  };
}

/** How many trials `worker` may have under way. */
function trialLimitOf({ fleetTrials, trialLimit }: BackendRow, worker: number): number {
  return fleetTrials?.[worker] ?? trialLimit;
}

/** Takes up what a row says anew about a slot that stays, in `worker`. */
export function updateSlot(slot: BackendSlot, row: BackendRow, worker: number, nowMs: number): void {
  // The fleet's trials are this worker's too, whatever it saw itself: only a trial's outcome can close the breaker.
  if (row.halfOpen && !slot.fleetHalfOpen) breakerHalfOpen(slot.breaker, nowMs);
  else if (!row.halfOpen && slot.fleetHalfOpen && slot.breaker.phase === 'half_open')
    breakerClose(slot.breaker);
  slot.fullWeight = row.weight;
  slot.priority = row.priority ?? 0;
  slot.eligible = row.eligible;
  slot.barred = row.barred;
  slot.lastResort = row.lastResort;
  slot.trialLimit = trialLimitOf(row, worker);
  slot.fleetHalfOpen = row.halfOpen;
}
