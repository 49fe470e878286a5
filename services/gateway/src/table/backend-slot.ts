import { breakerClose, breakerHalfOpen, closedBreaker, newCells } from '@usher/domain';
import type { BackendRow, BackendSlot, PoolTable } from '../routing-table.ts';
import type { Hosts } from './addresses.ts';
import { endpointsOf } from './endpoints.ts';

/** A fresh slot for the URLs in a row; all its counters are zero. `phase`: see `ChoiceCells`. */
export function newSlot(
  row: BackendRow,
  index: number,
  pool: PoolTable,
  hosts: Hosts,
  phase: number,
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
    trialLimit: row.trialLimit,
    fleetHalfOpen: row.halfOpen,
    own: 0,
    inFlight: 0,
    base: 0,
    facts: undefined,
    requests: 0,
    failures: 0,
    latencySumMs: 0,
    breaker: closedBreaker(),
    limit: undefined,
  };
}

/** Takes up what a row says anew about a slot that stays. */
export function updateSlot(slot: BackendSlot, row: BackendRow, nowMs: number): void {
  // The fleet's trials are this worker's too, whatever it saw itself: only a trial's outcome can close the breaker.
  if (row.halfOpen && !slot.fleetHalfOpen) breakerHalfOpen(slot.breaker, nowMs);
  else if (!row.halfOpen && slot.fleetHalfOpen && slot.breaker.phase === 'half_open')
    breakerClose(slot.breaker);
  slot.fullWeight = row.weight;
  slot.priority = row.priority ?? 0;
  slot.eligible = row.eligible;
  slot.barred = row.barred;
  slot.lastResort = row.lastResort;
  slot.trialLimit = row.trialLimit;
  slot.fleetHalfOpen = row.halfOpen;
}
