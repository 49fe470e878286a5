import type { Candidate, CandidatePool } from './strategy.ts';

/**
 * The backend with the fewest requests under way for its weight. Ties are broken by smooth weighted round robin among
 * those that tie, so an idle pool still shares by weight; comparing (in flight + 1) / weight instead would send
 * everything to the heaviest backend as long as the load is light.
 */
export function leastConnections<C extends Candidate>(
  pool: CandidatePool<C>,
  tried: readonly C[],
): C | undefined {
  const { eligible } = pool;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of eligible) {
    const load = candidate.inFlight / candidate.weight;
    if (load < least && !(tried.length > 0 && tried.includes(candidate))) least = load;
  }
  let best: C | undefined;
  let total = 0;
  for (const candidate of eligible) {
    if (candidate.inFlight / candidate.weight !== least) continue;
    if (tried.length > 0 && tried.includes(candidate)) continue;
    candidate.currentWeight += candidate.weight;
    total += candidate.weight;
    if (best === undefined || candidate.currentWeight > best.currentWeight) best = candidate;
  }
  if (best !== undefined) best.currentWeight -= total;
  return best;
}
