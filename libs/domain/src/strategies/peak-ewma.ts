import { costOf, hear, relativeCosts } from './latency.ts';
import type { Answer, Ask, Candidate, CandidatePool, Chooser, Measures, Strategy } from './strategy.ts';
import { betterOfTwo, drawnOfTwo } from './weighted-draw.ts';

/** So many times as much may the first of two cost before the second gets the request, as a logarithm. */
const TOLERANCE = Math.log(1.5);

/**
 * Draws two different backends by weight and takes the first, unless it costs clearly more than the second. The cost is
 * the time to the beginning of a response, times the requests under way for its weight. A slower response counts at once,
 * faster ones little by little, a refusal like a very slow response. The tolerance keeps the shares of backends that are
 * about equally fast by their weights; without it chance differences would decide, and everybody run to whoever is ahead.
 */
class PeakEwma<C extends Candidate> implements Chooser<C> {
  pick(pool: CandidatePool<C>, tried: readonly C[], { random }: Ask): C | undefined {
    return betterOfTwo(pool, tried, random, cheaper);
  }

  measures(pool: CandidatePool<C>, tried: readonly C[], { random }: Ask): ReadonlyMap<C, Measures> {
    const drawn = drawnOfTwo(pool, tried, random);
    return relativeCosts(pool, (candidate) => drawn.get(candidate) ?? {});
  }

  heard(candidate: C, answer: Answer, afterMs: number, nowMs: number): void {
    hear(candidate, answer, afterMs, nowMs, true);
  }
}

function cheaper<C extends Candidate>(first: C, second: C, pool: CandidatePool<C>): C {
  const mean = pool.totalWeight / pool.eligible.length;
  return costOf(first, mean) > costOf(second, mean) + TOLERANCE ? second : first;
}

export const peakEwma: Strategy = {
  needsKey: false,
  needsAnswers: true,
  needsLoad: true,
  create: () => new PeakEwma(),
};
