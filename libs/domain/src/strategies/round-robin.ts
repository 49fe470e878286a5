import type { Candidate, CandidatePool, Chooser, Strategy } from './strategy.ts';

/** One after the other, in order of registration, whatever their weights. */
class RoundRobin<C extends Candidate> implements Chooser<C> {
  #cursor = 0;

  pick({ eligible }: CandidatePool<C>, tried: readonly C[]): C | undefined {
    for (let skipped = 0; skipped < eligible.length; skipped++) {
      const candidate = eligible[this.#cursor % eligible.length]!;
      this.#cursor = (this.#cursor + 1) % Number.MAX_SAFE_INTEGER;
      if (!tried.includes(candidate)) return candidate;
    }
    return undefined;
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
