/** What a strategy sees of a backend, and the scratch cells that it keeps there. */
export interface Candidate {
  /** Relative share, above 0. */
  readonly weight: number;
  /** Requests under way. */
  readonly inFlight: number;
  /** Credit of smooth weighted round robin. */
  currentWeight: number;
  /** Sum of the weights up to and including this one in `eligible`, so that a weighted draw is a binary search. */
  cumulativeWeight: number;
}

/** What a strategy sees of a pool. `setEligible` keeps the parts in step. */
export interface CandidatePool<C extends Candidate> {
  eligible: readonly C[];
  totalWeight: number;
  /** Counts picks of round robin. */
  cursor: number;
}

/** Chance for decisions: uniform in [0, 1). */
export interface Uniform {
  next(): number;
}

/**
 * Chooses among the eligible backends without those in `tried`; undefined when none is left. It allocates nothing, and
 * a choice depends on nothing but its arguments, so the same state and the same chance give the same choice again.
 */
export type Strategy = <C extends Candidate>(
  pool: CandidatePool<C>,
  tried: readonly C[],
  random: Uniform,
) => C | undefined;

/** Sets who may be chosen. A weight of 0 is never chosen and is left out here, so no strategy meets one. */
export function setEligible<C extends Candidate>(pool: CandidatePool<C>, candidates: readonly C[]): void {
  const eligible = candidates.filter((candidate) => candidate.weight > 0);
  let total = 0;
  for (const candidate of eligible) {
    total += candidate.weight;
    candidate.cumulativeWeight = total;
  }
  pool.eligible = eligible;
  pool.totalWeight = total;
}
