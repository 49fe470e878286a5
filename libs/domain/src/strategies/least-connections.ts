import { LeastFirst, setTurns, turnsOf } from './least-first.ts';
import type { Candidate, CandidatePool, Chooser, Measures, Strategy } from './strategy.ts';

/**
 * The backend with the fewest requests under way for its weight. Those that tie take turns by weight, so an idle pool
 * still shares by weight; comparing (in flight + 1) / weight instead would send everything to the heaviest backend as
 * long as the load is light.
 */
class LeastConnections<C extends Candidate> implements Chooser<C> {
  readonly #order = new LeastFirst<C>();

  update({ eligible }: CandidatePool<C>): void {
    for (const candidate of eligible) candidate.rank = candidate.inFlight / candidate.weight;
    this.#order.set(eligible);
  }

  moved(candidate: C): void {
    if (this.#order.has(candidate)) this.#order.rerank(candidate, candidate.inFlight / candidate.weight);
  }

  pick(pool: CandidatePool<C>, tried: readonly C[]): C | undefined {
    const best = this.peek(pool, tried);
    if (best !== undefined) this.#order.charge(best);
    return best;
  }

  peek(_pool: CandidatePool<C>, tried: readonly C[]): C | undefined {
    return tried.length === 0 ? this.#order.first : this.#order.firstUntried(tried);
  }

  measures({ eligible }: CandidatePool<C>): ReadonlyMap<C, Measures> {
    return new Map(eligible.map((candidate) => [candidate, { load: candidate.rank, turn: candidate.turn }]));
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

export const leastConnections: Strategy = {
  needsKey: false,
  needsAnswers: false,
  needsLoad: true,
  create: () => new LeastConnections(),
};
