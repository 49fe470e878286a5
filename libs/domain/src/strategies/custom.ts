import { hear } from './latency.ts';
import { P2c } from './p2c.ts';
import type { Answer, Ask, Candidate, CandidatePool, Chooser, Measures } from './strategy.ts';

/** What a user's own strategy sees of a backend. */
interface CustomBackend {
  readonly id: string;
  /** Relative share, above 0; during a slow start less than declared. */
  readonly weight: number;
  /** Requests under way. */
  readonly inFlight: number;
  /** Average time to the beginning of a response, refusals counted as slow ones; 0 = not heard of yet. */
  readonly latencyMs: number;
}

/**
 * A user's own strategy: chooses one of `backends`, of which there is at least one. It has to be a pure function: it keeps
 * nothing, changes nothing, and takes chance from `ask.random` only.
 */
export type CustomStrategy = (backends: readonly CustomBackend[], ask: Ask) => CustomBackend | undefined;

/**
 * A user's own strategy at work. What it answers is checked: when it throws, or names nobody who may be chosen, `p2c`
 * chooses in its place and `onFault` hears of it.
 */
export class Custom<C extends Candidate> implements Chooser<C> {
  readonly #choose: CustomStrategy;
  readonly #onFault: (cause: string) => void;
  readonly #instead = new P2c<C>();

  constructor(choose: CustomStrategy, onFault: (cause: string) => void) {
    this.#choose = choose;
    this.#onFault = onFault;
  }

  /** What it is given is the pool's own list: one that sorts it in place fails, rather than upset who is where. */
  update({ eligible }: CandidatePool<C>): void {
    Object.freeze(eligible);
  }

  pick(pool: CandidatePool<C>, tried: readonly C[], ask: Ask): C | undefined {
    return this.#pick(pool, tried, ask, this.#onFault);
  }

  peek(pool: CandidatePool<C>, tried: readonly C[], ask: Ask): C | undefined {
    return this.#pick(pool, tried, ask, () => undefined);
  }

  measures({ eligible }: CandidatePool<C>): ReadonlyMap<C, Measures> {
    return new Map(eligible.map((candidate) => [candidate, { latencyMs: candidate.latencyMs }]));
  }

  #pick(
    pool: CandidatePool<C>,
    tried: readonly C[],
    ask: Ask,
    onFault: (cause: string) => void,
  ): C | undefined {
    const left =
      tried.length === 0 ? pool.eligible : pool.eligible.filter((candidate) => !tried.includes(candidate));
    if (left.length === 0) return undefined;
    try {
      const choice = this.#choose(left, ask);
      const found = left.find((candidate) => candidate === choice);
      if (found !== undefined) return found;
      onFault('it chose none of the backends that it was given');
    } catch (error) {
      onFault(String(error));
    }
    return this.#instead.pick(pool, tried, ask);
  }

  heard(candidate: C, answer: Answer, afterMs: number, nowMs: number): void {
    hear(candidate, answer, afterMs, nowMs, false);
  }
}
