import type { RateLimitSettings } from '../overload-settings.ts';

/**
 * A bucket of requests as one number: the instant at which it will be full again. Each request that is let through puts that
 * off by an interval, and none may put it off by more than `burst` intervals (the generic cell rate algorithm). A bucket
 * that is full is the same as none at all, so nothing is lost when it is forgotten. Instants and intervals are in any one
 * unit; nothing here reads a clock.
 */
export interface Bucket {
  /** In which one request comes back. */
  readonly interval: number;
  readonly burst: number;
}

export interface Taken {
  /** At most as many as were wanted. */
  readonly taken: number;
  /** When it is full again, afterwards. */
  readonly fullAt: number;
  /** Whole requests that are left. */
  readonly left: number;
}

/** Takes up to `wanted` requests out of a bucket that is full at `fullAt`. */
export function takeFrom({ interval, burst }: Bucket, fullAt: number, wanted: number, now: number): Taken {
  // Far further away than it ever can be: the clock was set back. How much was left then nobody knows any more.
  const misplaced = fullAt - now > 2 * burst * interval;
  const from = misplaced ? now : Math.max(fullAt, now);
  const there = Math.max(0, Math.floor((now + burst * interval - from) / interval + ROUNDING));
  const taken = Math.min(there, wanted);
  return { taken, fullAt: from + taken * interval, left: there - taken };
}

/** How long until a request can be taken out of a bucket. */
export function untilNext({ interval, burst }: Bucket, fullAt: number, now: number): number {
  return Math.max(0, fullAt - now - (burst - 1) * interval);
}

/** A request that has come back but for the last bits of a number has come back. */
const ROUNDING = 1e-6;

/** A share of this of what a minute allows may lie unused at gateways, all of them together. */
const IDLE_SHARE_MAX = 0.005;
const MINUTE_MS = 60_000;
/** How long a gateway that was told there is nothing leaves the store alone, unless nothing can come back sooner. */
const PAUSE_MAX_MS = 50;

/**
 * How many requests a gateway keeps for a client ahead of use, where all count together. The more, the less often it has to
 * ask; what it keeps and does not use others lack. So they all together keep half a percent of what a minute allows, and one
 * each where that is less.
 */
export function keptAhead({ requests, perMs, burst }: RateLimitSettings, gateways: number): number {
  const perMinute = burst + (requests * MINUTE_MS) / perMs;
  const kept = Math.floor((IDLE_SHARE_MAX * perMinute) / Math.max(1, gateways));
  return Math.max(1, Math.min(kept, Math.ceil(burst / 4)));
}

/**
 * How long a gateway lets nobody through that was told that the bucket is empty. Not shorter than until the first request has
 * come back (`nextMs`); longer while what comes back meanwhile is less than half of what it would keep, and well before the bucket is full.
 */
export function pauseAfterEmpty(
  { requests, perMs, burst }: RateLimitSettings,
  gateways: number,
  nextMs: number,
): number {
  const intervalMs = perMs / requests;
  const kept = keptAhead({ by: 'global', scope: 'fleet', requests, perMs, burst }, gateways);
  return Math.max(nextMs, Math.min(PAUSE_MAX_MS, (intervalMs * kept) / 2, (intervalMs * burst) / 2));
}
