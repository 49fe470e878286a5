import type { Candidate, CandidatePool } from './strategy.ts';

/**
 * Smooth weighted round robin: each pick credits everybody with their weight, takes whoever has most and charges that
 * one the sum. Shares are exact over one round of the weights and never come in bursts: 5, 1, 1 gives a a b a c a a.
 */
export function weightedRoundRobin<C extends Candidate>(
  pool: CandidatePool<C>,
  tried: readonly C[],
): C | undefined {
  let best: C | undefined;
  let total = 0;
  for (const candidate of pool.eligible) {
    if (tried.length > 0 && tried.includes(candidate)) continue;
    candidate.currentWeight += candidate.weight;
    total += candidate.weight;
    if (best === undefined || candidate.currentWeight > best.currentWeight) best = candidate;
  }
  if (best !== undefined) best.currentWeight -= total;
  return best;
}
