import type { BackendSlot } from '../routing-table.ts';

/** What this worker's own breaker did, for the others to hear. */
export type BreakerNews =
  | {
      readonly kind: 'tripped';
      readonly backend: string;
      readonly failures: number;
      readonly requests: number;
      readonly untilMs: number;
    }
  | { readonly kind: 'recovered'; readonly backend: string };

export function breakerNews(slot: BackendSlot, change: 'tripped' | 'recovered'): BreakerNews {
  if (change === 'recovered') return { kind: 'recovered', backend: slot.id };
  const { failuresInRow, windowFailures, windowRequests, openUntilMs } = slot.breaker;
  const failures = Math.max(1, failuresInRow, windowFailures);
  const requests = Math.max(failures, windowRequests);
  return { kind: 'tripped', backend: slot.id, failures, requests, untilMs: Math.ceil(openUntilMs) };
}
