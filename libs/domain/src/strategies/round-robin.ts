import type { Candidate, CandidatePool, Chooser, Measures, Strategy } from './strategy.ts';

/** One after the other, in order of registration, whatever their weights. */
class RoundRobin<C extends Candidate> implements Chooser<C> {
  #cursor = 0;

  pick(pool: CandidatePool<C>, tried: readonly C[]): C | undefined {
    const candidate = this.peek(pool, tried);
    if (candidate !== undefined) this.#cursor = candidate.order + 1;
    return candidate;
  }

  peek({ eligible }: CandidatePool<C>, tried: readonly C[]): C | undefined {
    for (let skipped = 0; skipped < eligible.length; skipped++) {
      const candidate = eligible[(this.#cursor + skipped) % eligible.length]!;
      if (!tried.includes(candidate)) return candidate;
    }
    return undefined;
  }

  measures({ eligible }: CandidatePool<C>): ReadonlyMap<C, Measures> {
    const next = this.#cursor % eligible.length;
    const turnsBefore = (candidate: C) => (candidate.order + eligible.length - next) % eligible.length;
    return new Map(eligible.map((candidate) => [candidate, { turnsBefore: turnsBefore(candidate) }]));
  }

  memory(): number[] {
    return [this.#cursor];
  }

  recall(_pool: CandidatePool<C>, [cursor = 0]: readonly number[]): void {
    this.#cursor = cursor;
  }
}

export const roundRobin: Strategy = {
  needsKey: false,
  needsAnswers: false,
  needsLoad: false,
  create: () => new RoundRobin(),
};
