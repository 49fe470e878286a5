import { costOf, hear, relativeCosts } from './latency.ts';
import { LeastFirst, setTurns, turnsOf } from './least-first.ts';
import type { Answer, Candidate, CandidatePool, Chooser, Measures, Strategy } from './strategy.ts';

/**
 * The one backend of all with the lowest cost: the average time to the beginning of a response, times the requests under
 * way for its weight. Refusals count as slow responses. What was not confirmed for a while counts less and less, so that
 * whoever is left out gets another try.
 */
class LeastResponseTime<C extends Candidate> implements Chooser<C> {
  readonly #order = new LeastFirst<C>();
  #meanWeight = 1;

  update({ eligible, totalWeight }: CandidatePool<C>): void {
    this.#meanWeight = totalWeight / Math.max(1, eligible.length);
    for (const candidate of eligible) candidate.rank = costOf(candidate, this.#meanWeight);
    this.#order.set(eligible);
  }

  moved(candidate: C): void {
    if (this.#order.has(candidate)) this.#order.rerank(candidate, costOf(candidate, this.#meanWeight));
  }

  heard(candidate: C, answer: Answer, afterMs: number, nowMs: number): void {
    hear(candidate, answer, afterMs, nowMs, false);
    this.moved(candidate);
  }

  pick(pool: CandidatePool<C>, tried: readonly C[]): C | undefined {
    const best = this.peek(pool, tried);
    if (best !== undefined) this.#order.charge(best);
    return best;
  }

  peek(_pool: CandidatePool<C>, tried: readonly C[]): C | undefined {
    return tried.length === 0 ? this.#order.first : this.#order.firstUntried(tried);
  }

  measures(pool: CandidatePool<C>): ReadonlyMap<C, Measures> {
    return relativeCosts(pool, ({ turn }) => ({ turn }));
  }

  memory({ eligible }: CandidatePool<C>): number[] {
    return turnsOf(eligible);
  }

  recall(pool: CandidatePool<C>, turns: readonly number[]): void {
    this.update(pool);
    setTurns(pool.eligible, turns);
    this.update(pool);
  }
}

export const leastResponseTime: Strategy = {
  needsKey: false,
  needsAnswers: true,
  needsLoad: true,
  create: () => new LeastResponseTime(),
};
