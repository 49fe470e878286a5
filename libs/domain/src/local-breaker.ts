import type { BreakerSettings } from './health-settings.ts';
import { RETRIES_MIN } from './retry-budget.ts';
import { isOver } from './window.ts';

/**
 * The breaker of one backend as one worker sees it: cells that the request path counts in and the rules over them.
 *
 *     closed ──(too many failures)──> open ──(openForMs passed)──> half_open ──(`successes` successes)──> closed
 *                                       <────────────(a trial failed)──────────
 *
 * Connect failures, broken or late answers and 5xx are failures. A client that leaves is nobody's failure, nor is it
 * anybody's success.
 *
 * An open breaker means "send elsewhere", never "send nowhere": it is for the pool to let traffic through when all of
 * its breakers are open, which keeps a pool of one backend from shutting itself off for `openForMs` over a few 500s, and
 * keeps a failure common to all (a database, a bad deploy) from driving all the traffic to whoever trips last.
 */
export interface BreakerCell {
  phase: 'closed' | 'open' | 'half_open';
  /** Failures since the last success. */
  failuresInRow: number;
  windowStartMs: number;
  /** Attempts that ended in the current window, and the failures among them. */
  windowRequests: number;
  windowFailures: number;
  /** When an open breaker becomes half open. */
  openUntilMs: number;
  halfOpenSinceMs: number;
  trialsInFlight: number;
  trialSuccesses: number;
  /** The last attempt that counted came to no connection. */
  unreachable: boolean;
}

/** How an attempt ended for its backend. `unreachable`: no connection came about. */
export type BreakerEvidence = 'good' | 'bad' | 'unreachable';
export type BreakerChange = 'none' | 'tripped' | 'recovered';

/**
 * Least share of failures among a window's attempts that trips. Without it a busy backend would trip at an error rate of
 * a hundredth of a percent, because `failures` is a number and not a rate.
 */
const FAILURE_SHARE_MIN = 0.2;
/**
 * Failures in a row after which a backend that could not even be connected to is left alone: as many as a quiet pool may
 * retry, so that one whose process died costs no request however little traffic there is.
 */
const UNREACHABLE_IN_ROW = RETRIES_MIN;
/** Instants are whole milliseconds in events and fractions in a worker. */
const ROUNDING_MS = 1;

export function closedBreaker(): BreakerCell {
  return {
    phase: 'closed',
    failuresInRow: 0,
    windowStartMs: 0,
    windowRequests: 0,
    windowFailures: 0,
    openUntilMs: 0,
    halfOpenSinceMs: 0,
    trialsInFlight: 0,
    trialSuccesses: 0,
    unreachable: false,
  };
}

/** Whether the breaker itself lets one more request through. `trialLimit` bounds trials while half open. */
export function breakerAdmits(cell: BreakerCell, trialLimit: number): boolean {
  return cell.phase === 'closed' || (cell.phase === 'half_open' && cell.trialsInFlight < trialLimit);
}

/**
 * Counts an attempt that ended. It trips at `failures` failures in a row, at fewer if no connection came about, or at that
 * many within `windowMs` if they are also a fifth of what ended in it. What started before the breaker became half open says nothing about now and is
 * not a trial.
 */
export function breakerRecord(
  cell: BreakerCell,
  settings: BreakerSettings,
  evidence: BreakerEvidence,
  startedMs: number,
  nowMs: number,
): BreakerChange {
  cell.unreachable = evidence === 'unreachable';
  if (cell.phase === 'open') return 'none';
  if (cell.phase === 'half_open') {
    if (startedMs < cell.halfOpenSinceMs) return 'none';
    if (evidence !== 'good') return trip(cell, settings, nowMs);
    cell.trialSuccesses += 1;
    if (cell.trialSuccesses < settings.successes) return 'none';
    breakerClose(cell);
    return 'recovered';
  }
  if (isOver(cell.windowStartMs, settings.windowMs, nowMs)) {
    cell.windowStartMs = nowMs;
    cell.windowRequests = 0;
    cell.windowFailures = 0;
  }
  cell.windowRequests += 1;
  if (evidence === 'good') {
    cell.failuresInRow = 0;
    return 'none';
  }
  cell.windowFailures += 1;
  cell.failuresInRow += 1;
  const { failures } = settings;
  const often =
    cell.windowFailures >= failures && cell.windowFailures >= FAILURE_SHARE_MIN * cell.windowRequests;
  const enough = evidence === 'unreachable' ? Math.min(failures, UNREACHABLE_IN_ROW) : failures;
  return cell.failuresInRow >= enough || often ? trip(cell, settings, nowMs) : 'none';
}

/** A trial ended, however it did. */
export function breakerTrialEnded(cell: BreakerCell): void {
  if (cell.trialsInFlight > 0) cell.trialsInFlight -= 1;
}

function trip(cell: BreakerCell, settings: BreakerSettings, nowMs: number): BreakerChange {
  breakerOpen(cell, nowMs + settings.openForMs);
  return 'tripped';
}

export function breakerOpen(cell: BreakerCell, untilMs: number): void {
  cell.phase = 'open';
  cell.openUntilMs = untilMs;
  cell.trialsInFlight = 0;
  cell.trialSuccesses = 0;
}

export function breakerHalfOpen(cell: BreakerCell, nowMs: number): void {
  cell.phase = 'half_open';
  cell.halfOpenSinceMs = nowMs;
  cell.trialsInFlight = 0;
  cell.trialSuccesses = 0;
}

export function breakerClose(cell: BreakerCell): void {
  cell.phase = 'closed';
  cell.failuresInRow = 0;
  cell.windowRequests = 0;
  cell.windowFailures = 0;
  cell.trialsInFlight = 0;
  cell.trialSuccesses = 0;
}

/**
 * Lets time pass: an open breaker whose time has come becomes half open, and one that has been half open for another
 * `openForMs` without a verdict gets new trials, for its trials may be connections that stay open for hours. Successes
 * still count then, for where requests are rare the breaker would never close. True when the breaker may admit requests that
 * it did not admit before.
 */
export function breakerTick(cell: BreakerCell, settings: BreakerSettings, nowMs: number): boolean {
  // Further away than it ever can be: the clock was set back, or `openForMs` was lowered.
  const misplaced = cell.openUntilMs - nowMs > settings.openForMs + ROUNDING_MS;
  const due =
    (cell.phase === 'open' && (nowMs >= cell.openUntilMs || misplaced)) ||
    (cell.phase === 'half_open' && isOver(cell.halfOpenSinceMs, settings.openForMs, nowMs));
  const { trialSuccesses } = cell;
  if (due) breakerHalfOpen(cell, nowMs);
  cell.trialSuccesses = trialSuccesses;
  return due;
}
