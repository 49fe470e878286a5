import type { Answer } from '@usher/domain';
import type { AttemptOutcome, BackendSlot } from '../routing-table.ts';

const TOO_MANY_REQUESTS = 429;

/** Counts requests that begin on a backend (1) or end (-1), wherever that is counted. */
export function load(slot: BackendSlot, requests: 1 | -1): void {
  const { pool } = slot;
  slot.inFlight += requests;
  pool.inFlight += requests;
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
