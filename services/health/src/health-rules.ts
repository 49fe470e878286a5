import type { Health, ProbeTiming } from '@usher/domain';

/** Probes in a row with the same outcome; one of the two is always 0. */
export interface ProbeCounts {
  readonly successes: number;
  readonly failures: number;
}

export const NO_PROBES: ProbeCounts = { successes: 0, failures: 0 };

/** Next to the regular interval: how long to wait while a backend is changing sides, at the least. */
const FAST_INTERVAL_MIN_MS = 1000;
const FAST_SHARE = 5;
/** Intervals are stretched or shortened by up to this share, so that probes of many backends do not march in step. */
const JITTER = 0.1;

export function nextCounts(counts: ProbeCounts, succeeded: boolean): ProbeCounts {
  return succeeded
    ? { successes: counts.successes + 1, failures: 0 }
    : { successes: 0, failures: counts.failures + 1 };
}

/**
 * What the probes so far say that the log does not; undefined when they agree, or when it is too early to tell. A
 * backend that nobody has probed yet is admitted by its first success: it need not prove that it has recovered.
 */
export function nextHealth(
  health: Health,
  counts: ProbeCounts,
  timing: Pick<ProbeTiming, 'fall' | 'rise'>,
): 'healthy' | 'unhealthy' | undefined {
  if (health === 'unchecked') return undefined;
  const rise = health === 'unknown' ? 1 : timing.rise;
  if (health !== 'healthy' && counts.successes >= rise) return 'healthy';
  if (health !== 'unhealthy' && counts.failures >= timing.fall) return 'unhealthy';
  return undefined;
}

/**
 * Milliseconds from the start of one probe to the start of the next. Shorter while the last outcomes speak against what
 * the log says: the sooner it is certain, the fewer requests meet a dead backend or miss a live one. One that is down
 * for good is probed as often as one that is up, since an early recovery is worth a refused connection.
 */
export function probeIntervalMs(
  health: Health,
  counts: ProbeCounts,
  intervalMs: number,
  chance: number,
): number {
  const changing =
    health === 'unknown' ||
    (health === 'healthy' && counts.failures > 0) ||
    (health === 'unhealthy' && counts.successes > 0);
  const fastMs = Math.max(FAST_INTERVAL_MIN_MS, intervalMs / FAST_SHARE);
  return (changing ? Math.min(intervalMs, fastMs) : intervalMs) * (1 - JITTER + 2 * JITTER * chance);
}
