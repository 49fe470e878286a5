import type { Fit } from '../resource/fit.ts';
import { FastRandom } from './fast-random.ts';
import type { Ask, Candidate, CandidatePool, Features, Measures } from './strategy.ts';

export interface ExplainedChoice<C> {
  /** Whom the pool's strategy would choose now; undefined when none is left. */
  readonly choice: C | undefined;
  /** What it goes by, for whom it looks at. */
  readonly measures: ReadonlyMap<C, Measures>;
  /** Why it leaves out some of the eligible. */
  readonly unfit: ReadonlyMap<C, Fit>;
}

/** Whom `pool.chooser.pick` would choose with the same arguments. It has no effect but the draws from `ask.random`. */
export function peek<C extends Candidate>(
  pool: CandidatePool<C>,
  tried: readonly C[],
  ask: Ask,
): C | undefined {
  const { chooser } = pool;
  return chooser.peek === undefined ? chooser.pick(pool, tried, ask) : chooser.peek(pool, tried, ask);
}

/**
 * The choice that `pool.chooser.pick` is about to make with the same arguments, and why. Nothing changes by it: chance is
 * drawn from copies of the generator, and turns stay whose they are.
 */
export function explainChoice<C extends Candidate>(
  pool: CandidatePool<C>,
  tried: readonly C[],
  features: Features,
  random: FastRandom,
): ExplainedChoice<C> {
  const { chooser } = pool;
  const ask = () => ({ ...features, random: FastRandom.from(random.seed) });
  return {
    choice: peek(pool, tried, ask()),
    measures: chooser.measures?.(pool, tried, ask()) ?? new Map(),
    unfit: chooser.unfit?.(pool, tried, ask()) ?? new Map(),
  };
}
