import { breakerClose, breakerOpen } from '@usher/domain';
import type { BackendSlot, TableDelta } from '../routing-table.ts';

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

/** Takes up what another worker's breaker did. */
export function hearOfBreaker(
  { breaker }: BackendSlot,
  delta: Extract<TableDelta, { kind: 'tripped' | 'recovered' }>,
  nowMs: number,
): void {
  if (delta.kind === 'recovered') breakerClose(breaker);
  else if (delta.untilMs > nowMs) breakerOpen(breaker, delta.untilMs);
}

/** For the other workers of the gateway. */
export function breakerDelta(news: BreakerNews): TableDelta {
  const { backend } = news;
  return news.kind === 'tripped'
    ? { kind: 'tripped', backend, untilMs: news.untilMs }
    : { kind: 'recovered', backend };
}
