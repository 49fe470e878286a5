import type { Metrics } from '@usher/ports';
import { LATENCY_BOUNDS_S } from '../wire/counters.ts';
import type { PoolReservationsSeen } from './reservations/allocations.ts';
import { GRANTS, REFUSALS } from './reservations/counts.ts';

/** Registers what there is to know of reservations, by pool. */
export function exposeReservations(
  metrics: Metrics,
  seen: () => ReadonlyMap<string, PoolReservationsSeen>,
): void {
  const perPool = (read: (pool: PoolReservationsSeen) => number) => () =>
    Array.from(seen(), ([pool, one]) => ({ labels: { pool }, value: read(one) }));
  metrics.gauge(
    'usher_allocations',
    'Allocations that this gateway holds',
    perPool(({ held }) => held),
  );
  metrics.gauge(
    'usher_allocation_waiting_requests',
    'Requests that wait until a backend has room for their tier',
    perPool(({ waiting }) => waiting),
  );
  metrics.counter('usher_allocation_grants_total', 'Requests that were let in, by how', () =>
    Array.from(seen(), ([pool, { counts }]) =>
      GRANTS.map((by) => ({ labels: { pool, by }, value: counts.grants[by] })),
    ).flat(),
  );
  metrics.counter('usher_allocation_refusals_total', 'Requests that were not let in, by why', () =>
    Array.from(seen(), ([pool, { counts }]) =>
      REFUSALS.map((reason) => ({ labels: { pool, reason }, value: counts.refusals[reason] })),
    ).flat(),
  );
  metrics.counter(
    'usher_allocations_expired_total',
    'Allocations of any gateway that this one found expired',
    perPool(({ counts }) => counts.expired),
  );
  metrics.gauge(
    'usher_allocation_untold_facts',
    'Reservations and give-backs that the log has not taken yet',
    perPool(({ untold }) => untold),
  );
  metrics.counter(
    'usher_allocation_lost_facts_total',
    'Reservations and give-backs that the log will not hear, because it took none for too long',
    perPool(({ lost }) => lost),
  );
  metrics.histogram(
    'usher_allocation_wait_seconds',
    'Time that requests waited before a backend had room for their tier',
    LATENCY_BOUNDS_S,
    () =>
      Array.from(seen(), ([pool, { counts }]) => ({
        labels: { pool },
        counts: counts.waits,
        sum: counts.waitSumMs / 1000,
      })),
  );
}
