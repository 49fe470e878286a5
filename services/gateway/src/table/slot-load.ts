import type { Answer } from '@usher/domain';
import type { AttemptOutcome, BackendSlot } from '../routing-table.ts';

const TOO_MANY_REQUESTS = 429;

/** Counts requests that begin on a backend (1) or end (-1), wherever that is counted. */
export function load(slot: BackendSlot, requests: 1 | -1): void {
  slot.own += requests;
  estimate(slot);
}

/** Works out anew how many requests are under way on a backend, here and elsewhere. */
export function estimate(slot: BackendSlot): void {
  const { pool, own } = slot;
  const others = slot.base + pool.echo * own;
  const inFlight = others > 0 ? own + others : own;
  pool.inFlight += inFlight - slot.inFlight;
  slot.inFlight = inFlight;
  pool.chooser.moved?.(slot);
}

/** What a status says about a backend's willingness to serve more. */
export function answerWith(status: number): Answer {
  return status === TOO_MANY_REQUESTS || status >= 500 ? 'refused' : 'answered';
}

/** What an attempt without a response says. */
export function answerWithout(outcome: AttemptOutcome): Answer {
  return outcome === 'client_closed' ? 'left' : 'refused';
}
