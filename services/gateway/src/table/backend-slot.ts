import { closedBreaker, parseBackendUrl } from '@usher/domain';
import type { BackendRow, BackendSlot } from '../routing-table.ts';

/** A fresh slot for the address in a row; all its counters are zero. */
export function newSlot(row: BackendRow, index: number): BackendSlot {
  const origin = parseBackendUrl(row.url);
  if (typeof origin === 'string') throw new Error(`backend ${row.id}: ${row.url} ${origin}`);
  return {
    id: row.id,
    index,
    host: origin.host,
    port: origin.port,
    tls: origin.tls,
    authority: origin.authority,
    weight: row.weight,
    eligible: row.eligible,
    lastResort: row.lastResort,
    trialLimit: row.trialLimit,
    fleetHalfOpen: row.halfOpen,
    inFlight: 0,
    currentWeight: 0,
    cumulativeWeight: 0,
    requests: 0,
    failures: 0,
    latencySumMs: 0,
    breaker: closedBreaker(),
    limit: undefined,
  };
}
