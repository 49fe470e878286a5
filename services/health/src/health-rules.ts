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
/** Intervals are shortened by up to this share, so that probes of many backends do not march in step. Never stretched: what is promised within an interval is kept. */
const JITTER = 0.2;
/** A backend that stays down is probed ten times in the time that it has been down, so its recovery is noticed within a tenth of that. */
const DOWN_SHARE = 10;

export function nextCounts(counts: ProbeCounts, succeeded: boolean): ProbeCounts {
  return succeeded
    ? { successes: counts.successes + 1, failures: 0 }
    : { successes: 0, failures: counts.failures + 1 };
}

/**
 * What the probes so far say that the log does not; undefined when they agree, or when it is too early to tell. A
 * backend that nobody has probed yet is admitted by its first success: it need not prove that it has recovered. So is one of
 * a pool in which nobody is healthy (`alone`): there is nobody better to wait for it with.
 */
export function nextHealth(
  health: Health,
  counts: ProbeCounts,
  timing: Pick<ProbeTiming, 'fall' | 'rise'>,
  alone = false,
): 'healthy' | 'unhealthy' | undefined {
  if (health === 'unchecked') return undefined;
  const rise = health === 'unknown' || alone ? 1 : timing.rise;
  if (health !== 'healthy' && counts.successes >= rise) return 'healthy';
  if (health !== 'unhealthy' && counts.failures >= timing.fall) return 'unhealthy';
  return undefined;
}

/**
 * Milliseconds from the start of one probe to the start of the next. Shorter while the last outcomes speak against what
 * the log says: the sooner it is certain, the fewer requests meet a dead backend or miss a live one. Longer, up to
 * `downIntervalMs`, the longer a backend has been down; but not while nobody of its pool is healthy (`alone`), when the first
 * that recovers is all that counts.
 */
export function probeIntervalMs(
  health: Health,
  counts: ProbeCounts,
  { intervalMs, downIntervalMs = intervalMs }: Pick<ProbeTiming, 'intervalMs' | 'downIntervalMs'>,
  alone: boolean,
  chance: number,
): number {
  const changing =
    health === 'unknown' ||
    (health === 'healthy' && counts.failures > 0) ||
    (health === 'unhealthy' && counts.successes > 0);
  const fastMs = Math.max(FAST_INTERVAL_MIN_MS, intervalMs / FAST_SHARE);
  const down = health === 'unhealthy' && !alone;
  const slowMs = Math.min(Math.max(intervalMs, downIntervalMs), (intervalMs * counts.failures) / DOWN_SHARE);
  const calmMs = down ? Math.max(intervalMs, slowMs) : intervalMs;
  // Half of it at the least when all wait for the answer: the probe and what follows from it are to fit into the interval too.
  const share = alone ? (1 + chance) / 2 : chance;
  return (changing ? Math.min(intervalMs, fastMs) : calmMs) * (1 - JITTER * share);
}
