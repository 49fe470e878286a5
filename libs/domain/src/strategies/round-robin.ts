import type { Candidate, CandidatePool } from './strategy.ts';

/** One after the other, in order of registration, whatever their weights. */
export function roundRobin<C extends Candidate>(pool: CandidatePool<C>, tried: readonly C[]): C | undefined {
  const { eligible } = pool;
  for (let skipped = 0; skipped < eligible.length; skipped++) {
    const candidate = eligible[pool.cursor % eligible.length]!;
    pool.cursor = (pool.cursor + 1) % Number.MAX_SAFE_INTEGER;
    if (!tried.includes(candidate)) return candidate;
  }
  return undefined;
}
