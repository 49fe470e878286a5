import type { Answer, Candidate, CandidatePool, Measures } from './strategy.ts';

/**
 * Time constant by which what was heard of a backend counts less. What nobody confirms decays too, so that a backend that
 * was slow is asked again some time: after a latency of a minute, and compared with others that take a millisecond, that
 * is so after 55 seconds.
 */
const DECAY_MS = 5_000;
/** A refusal counts as a response that took so long, or twice as long as the backend seemed to take, up to the maximum. */
const REFUSAL_MIN_MS = 5_000;
const REFUSAL_MAX_MS = 60_000;
/** Below this, clocks tell nothing. */
const LATENCY_MIN_MS = 0.01;
/** Cost of a backend that got requests and was not heard of yet: above all others. */
const UNHEARD = 1e12;

/**
 * Takes up how a backend answered. `peak`: something slower than known counts at once and in full, and only what is faster
 * is averaged in.
 */
export function hear(
  candidate: Candidate,
  answer: Answer,
  afterMs: number,
  nowMs: number,
  peak: boolean,
): void {
  const kept = Math.exp(-Math.max(0, nowMs - candidate.latencyAtMs) / DECAY_MS);
  const before = candidate.latencyMs * kept;
  // A client that left says no more than that a response takes longer than this.
  if (answer === 'left' && afterMs <= before) return;
  const measured = answer === 'refused' ? asRefusal(before, afterMs) : Math.max(afterMs, LATENCY_MIN_MS);
  const mean = before + measured * (1 - kept);
  candidate.latencyMs = peak && measured > candidate.latencyMs ? measured : mean;
  candidate.latencyAtMs = nowMs;
  candidate.cost = Math.log(candidate.latencyMs) + nowMs / DECAY_MS;
}

/** A refusal takes a backend no time, which must not make it look fast. */
function asRefusal(before: number, afterMs: number): number {
  return Math.max(afterMs, Math.min(REFUSAL_MAX_MS, Math.max(REFUSAL_MIN_MS, 2 * before)));
}

/**
 * Logarithm of what a request more would cost: the latency, times one and the requests under way in relation to the
 * backend's part of the pool. All latencies decay by the same factor in the same time, so those of different times can be
 * compared as they are and no clock is needed here. Nothing is known of a new backend, so it gets one request to begin with.
 */
export function costOf(candidate: Candidate, meanWeight: number): number {
  const { inFlight, own, weight, cost } = candidate;
  const load = (inFlight * meanWeight) / weight;
  // What others have under way there does not tell this worker how the backend answers.
  if (cost === Number.NEGATIVE_INFINITY) return own === 0 ? cost : UNHEARD + load;
  return cost + Math.log1p(load);
}

/**
 * For people: how many times as much as the cheapest of those that were heard of each of the eligible costs. Of who was
 * not heard of yet there is no cost.
 */
export function relativeCosts<C extends Candidate>(
  { eligible, totalWeight }: CandidatePool<C>,
  others: (candidate: C) => Measures,
): ReadonlyMap<C, Measures> {
  const meanWeight = totalWeight / Math.max(1, eligible.length);
  const costs = eligible.map((candidate) =>
    candidate.latencyMs > 0 ? costOf(candidate, meanWeight) : Number.POSITIVE_INFINITY,
  );
  const least = Math.min(...costs);
  return new Map(
    eligible.map((candidate, at) => {
      const { latencyMs } = candidate;
      const heard = latencyMs > 0 ? { cost: Math.exp(costs[at]! - least), latencyMs } : {};
      return [candidate, { ...heard, ...others(candidate) }];
    }),
  );
}
