import type { FastRandom } from './fast-random.ts';
import type { Candidate, CandidatePool, Measures } from './strategy.ts';

export interface ExplainedChoice<C> {
  /** Whom the pool's strategy would choose now; undefined when none is left. */
  readonly choice: C | undefined;
  /** What it goes by, for whom it looks at. */
  readonly measures: ReadonlyMap<C, Measures>;
}

/**
 * The choice that `pool.chooser.pick` is about to make with the same arguments, and why. Nothing changes by it: chance is
 * drawn from copies of the generator, and turns stay whose they are.
 */
export function explainChoice<C extends Candidate>(
  pool: CandidatePool<C>,
  tried: readonly C[],
  key: number,
  random: FastRandom,
): ExplainedChoice<C> {
  const { chooser } = pool;
  const ask = () => ({ key, random: random.copy() });
  const choice =
    chooser.peek === undefined ? chooser.pick(pool, tried, ask()) : chooser.peek(pool, tried, ask());
  return { choice, measures: chooser.measures?.(pool, tried, ask()) ?? new Map() };
}
