import type { Ask, Candidate, CandidatePool, Chooser, Measures, Strategy } from './strategy.ts';
import { at, drawUntried } from './weighted-draw.ts';

/** By chance, in proportion to weights. */
class Random<C extends Candidate> implements Chooser<C> {
  pick(pool: CandidatePool<C>, tried: readonly C[], { random }: Ask): C | undefined {
    if (tried.length > 0) return drawUntried(pool, tried, undefined, random);
    const { eligible, totalWeight } = pool;
    return eligible.length < 2 ? eligible[0] : at(eligible, random.next() * totalWeight);
  }

  measures({ eligible, totalWeight }: CandidatePool<C>): ReadonlyMap<C, Measures> {
    return new Map(eligible.map((candidate) => [candidate, { share: candidate.weight / totalWeight }]));
  }
}

export const random: Strategy = {
  needsKey: false,
  needsAnswers: false,
  needsLoad: false,
  create: () => new Random(),
};
