import type { AttemptOutcome } from '../routing-table.ts';

/** Outcomes that are answered with the error of the same name. */
export type Failure = Exclude<AttemptOutcome, 'ok' | 'server_error' | 'client_closed'>;

/** What is known about an attempt that failed before anything was sent to the client. */
export interface FailedAttempt {
  readonly outcome: AttemptOutcome;
  /** Bytes of the request may have reached the backend. */
  readonly reached: boolean;
  /** It used a connection that had served a request before, and lost it before any byte of a response. */
  readonly stale: boolean;
  /** Everything sent so far can be sent again. */
  readonly replayable: boolean;
  readonly idempotent: boolean;
  /** Attempts that the pool's settings still allow. */
  readonly attemptsLeft: number;
}

/** `fresh`: again on a new connection to the same backend, as the same attempt. `other`: a new attempt elsewhere. */
export type RetryVerdict = 'fresh' | 'other' | 'none';

/** A backend that took the whole response time may be busy with the request: asking the next one would double the work. */
const NEVER_AGAIN: ReadonlySet<AttemptOutcome> = new Set([
  'ok',
  'server_error',
  'client_closed',
  'response_timeout',
]);

/**
 * Decides whether a failed attempt is followed by another (RFC 9110 section 9.2.2, RFC 9112 section 9.3.1). What may have
 * reached a backend is sent again only when the method says that twice is as good as once. A kept connection that turns
 * out to be closed is nobody's failure: it happens when a backend closes it just as it is used, so it costs no attempt.
 */
export function decideRetry(attempt: FailedAttempt): RetryVerdict {
  if (NEVER_AGAIN.has(attempt.outcome) || !attempt.replayable) return 'none';
  if (attempt.reached && !attempt.idempotent) return 'none';
  if (attempt.stale) return 'fresh';
  return attempt.attemptsLeft > 0 ? 'other' : 'none';
}
