import type { Ask, Candidate, CandidatePool, Chooser, Measures, Strategy } from './strategy.ts';
import { betterOfTwo, drawnOfTwo } from './weighted-draw.ts';

/**
 * Power of two choices: draws two different backends by weight and takes the one with fewer requests under way for its
 * weight, the first of them when they tie. Weight acts in the draw and in the comparison: in the draw it gives an idle
 * pool its shares, in the comparison a busy one its balance. It needs no scan and no state shared between workers,
 * and because it looks at two only, gateways that know little of each other do not all run to the same backend.
 */
export class P2c<C extends Candidate> implements Chooser<C> {
  pick(pool: CandidatePool<C>, tried: readonly C[], { random }: Ask): C | undefined {
    return betterOfTwo(pool, tried, random, lighter);
  }

  measures(pool: CandidatePool<C>, tried: readonly C[], { random }: Ask): ReadonlyMap<C, Measures> {
    const drawn = drawnOfTwo(pool, tried, random);
    return new Map(
      pool.eligible.map((candidate) => [
        candidate,
        { load: candidate.inFlight / candidate.weight, ...drawn.get(candidate) },
      ]),
    );
  }
}

function lighter<C extends Candidate>(first: C, second: C): C {
  return second.inFlight * first.weight < first.inFlight * second.weight ? second : first;
}

export const p2c: Strategy = {
  needsKey: false,
  needsAnswers: false,
  needsLoad: true,
  create: () => new P2c(),
};
