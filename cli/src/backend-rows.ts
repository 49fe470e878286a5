import { eligibility, type FleetState } from '@usher/domain';

/** A backend as the command line shows it. */
export interface BackendRow {
  readonly id: string;
  readonly pool: string;
  readonly url: string;
  readonly weight: number;
  readonly eligibility: string;
  readonly health: string;
  readonly breaker: string;
  readonly requests: number;
  readonly failures: number;
}

/** The backends of a state, by pool and id. */
export function backendRows(state: FleetState): BackendRow[] {
  const rows = [...state.backends].map(([id, backend]) => ({
    id,
    pool: backend.settings.pool,
    url: backend.settings.url,
    weight: backend.settings.weight,
    eligibility: eligibility(backend),
    health: backend.health,
    breaker: backend.breaker,
    requests: backend.requests,
    failures: backend.failures,
  }));
  return rows.toSorted((a, b) => compare(a.pool, b.pool) || compare(a.id, b.id));
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
