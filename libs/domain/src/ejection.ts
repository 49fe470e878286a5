import type { PassiveSettings } from './health-settings.ts';
import { isOver } from './window.ts';

/**
 * Passive health: a backend that fails the requests of clients is ejected for a while, longer each time. Like the breaker it
 * goes by the attempts of one worker, and the two divide the work. The breaker is quick: it opens for the same time
 * whatever was before, comes back by a few trials, and is what gateways vote on. The ejection remembers: who fails
 * again as soon as it is back stays away longer, and it is bounded by the pool, of which it never takes more than half.
 * A backend gets requests when neither speaks against it: the ejection says for how long, the breaker how carefully.
 */
export interface EjectionCell {
  /** Failures since the last success, also since before the last ejection: the first request afterwards has to succeed. */
  failuresInRow: number;
  windowStartMs: number;
  windowRequests: number;
  windowFailures: number;
  /** Until when it is ejected; 0 = it is not. */
  untilMs: number;
  /** What the last ejection was multiplied by. */
  times: number;
  /** When it last came back. */
  backMs: number;
}

/** What an ejection is for: `in_a_row` failures without a success, or too large a `rate` of them. */
export const EJECTION_CAUSES = ['in_a_row', 'rate'] as const;
export type EjectionCause = (typeof EJECTION_CAUSES)[number];

/** No ejection lasts longer, unless the first one does already. */
export const EJECTION_MAX_MS = 300_000;
/** No setting allows more of a pool to be ejected. */
export const EJECTED_SHARE_MAX = 0.5;
/** A pool of this many backends may always do without one. */
const ONE_MAY_GO_FROM = 3;

export function notEjected(): EjectionCell {
  return {
    failuresInRow: 0,
    windowStartMs: 0,
    windowRequests: 0,
    windowFailures: 0,
    untilMs: 0,
    times: 0,
    backMs: 0,
  };
}

/**
 * Counts an attempt that ended, and answers why the backend should be ejected, if it should. An attempt that began before the
 * backend was last ejected says nothing new.
 */
export function ejectionRecord(
  cell: EjectionCell,
  settings: PassiveSettings,
  failed: boolean,
  startedMs: number,
  nowMs: number,
): EjectionCause | undefined {
  // It came back in the future: the clock was set back.
  if (cell.backMs > nowMs) cell.backMs = startedMs;
  if (cell.untilMs !== 0 || startedMs < cell.backMs) return undefined;
  if (isOver(cell.windowStartMs, settings.windowMs, nowMs)) startWindow(cell, nowMs);
  cell.windowRequests += 1;
  if (!failed) {
    cell.failuresInRow = 0;
    return undefined;
  }
  cell.failuresInRow += 1;
  cell.windowFailures += 1;
  if (cell.failuresInRow >= settings.consecutive) return 'in_a_row';
  const enough = cell.windowRequests >= settings.requestsMin;
  return enough && cell.windowFailures >= settings.failureRate * cell.windowRequests ? 'rate' : undefined;
}

/**
 * Ejects for the settings' time, once more as long for each ejection before it that is not forgotten: one is for every such
 * time that the backend was back without another. Answers until when.
 */
export function eject(cell: EjectionCell, { ejectForMs }: PassiveSettings, nowMs: number): number {
  const forgotten = Math.floor(Math.max(0, nowMs - cell.backMs) / ejectForMs);
  const times = Math.max(0, cell.times - forgotten) + 1;
  ejectUntil(cell, nowMs + Math.min(ejectForMs * times, Math.max(ejectForMs, EJECTION_MAX_MS)), times);
  return cell.untilMs;
}

/** Takes up what was found out elsewhere. */
export function ejectUntil(cell: EjectionCell, untilMs: number, times: number): void {
  cell.untilMs = untilMs;
  cell.times = times;
}

/** Takes it back, with what it was ejected for still in mind. */
export function readmit(cell: EjectionCell, nowMs: number): void {
  cell.untilMs = 0;
  cell.backMs = nowMs;
  startWindow(cell, nowMs);
}

function startWindow(cell: EjectionCell, nowMs: number): void {
  cell.windowStartMs = nowMs;
  cell.windowRequests = 0;
  cell.windowFailures = 0;
}

/**
 * How many of a pool's backends may be ejected at a time: `share` of them, never more than half and never all, and one in any
 * case where there are three.
 */
export function ejectedMax(backends: number, share: number): number {
  if (share === 0) return 0;
  const allowed = Math.floor(backends * Math.min(share, EJECTED_SHARE_MAX));
  return backends < ONE_MAY_GO_FROM ? allowed : Math.max(1, allowed);
}
