import { bucketOf, LATENCY_BOUNDS_S } from '../../wire/counters.ts';
import type { WhyClosed } from '../../worker/protocol.ts';

/** How a request was let in: by the store, by this gateway's own share while the store is away, or without a reservation. */
export const GRANTS = ['store', 'local_share', 'open'] as const;
export type Grant = (typeof GRANTS)[number];

/** Why a request was not let in. `timeout`: it waited as long as it may. */
export const REFUSALS = [
  'full',
  'timeout',
  'store_away',
  'restoring',
  'unknown',
  'stopping',
] as const satisfies readonly (WhyClosed | 'full' | 'timeout')[];
export type Refusal = (typeof REFUSALS)[number];

/** What happened to the reservations of one pool in this gateway. */
export class ReservationCounts {
  readonly grants: Record<Grant, number> = { store: 0, local_share: 0, open: 0 };
  readonly refusals: Record<Refusal, number> = {
    full: 0,
    timeout: 0,
    store_away: 0,
    restoring: 0,
    unknown: 0,
    stopping: 0,
  };
  /** Allocations of any gateway that this one swept. */
  expired = 0;
  /** Waits that ended with a reservation: one cell for each bound of latencies and one above. */
  readonly waits: number[] = Array.from({ length: LATENCY_BOUNDS_S.length + 1 }, () => 0);
  waitSumMs = 0;

  waited(ms: number): void {
    const bucket = bucketOf(ms);
    this.waits[bucket] = (this.waits[bucket] ?? 0) + 1;
    this.waitSumMs += ms;
  }
}
