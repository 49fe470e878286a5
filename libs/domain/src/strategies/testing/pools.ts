import type { ResourceFacts } from '../../resource/machine.ts';
import type { StrategyName } from '../../settings.ts';
import { Custom } from '../custom.ts';
import { FastRandom } from '../fast-random.ts';
import { hashOf } from '../hash.ts';
import { STRATEGIES } from '../registry.ts';
import {
  type Candidate,
  type CandidatePool,
  NO_FEATURES,
  newCells,
  type StrategySettings,
  setCandidates,
} from '../strategy.ts';

/** A backend whose weights and load a test sets. */
export interface TestBackend extends Candidate {
  weight: number;
  fullWeight: number;
  inFlight: number;
  own: number;
  facts: ResourceFacts | undefined;
}

export function backend(id: string, weight = 1, inFlight = 0): TestBackend {
  return { ...newCells(), id, weight, fullWeight: weight, inFlight, own: inFlight, facts: undefined };
}

export function weights(...values: number[]): TestBackend[] {
  return values.map((weight, index) => backend('abcdefghijkl'[index] ?? `b-${index}`, weight));
}

export function uniform(seed = 1): FastRandom {
  let state = seed;
  return new FastRandom({ next: () => (state = (state * 16807) % 2147483647) / 2147483647 });
}

/** A pool with a strategy at work, and the calls that a gateway makes. Every pick has another key. */
export class TestPool {
  readonly pool: CandidatePool<TestBackend>;
  readonly #random: FastRandom;
  #picks = 0;

  constructor(
    strategy: StrategyName,
    backends: readonly TestBackend[],
    seed = 42,
    settings?: StrategySettings,
  ) {
    // The simplest one there is.
    const chooser =
      strategy === 'custom'
        ? new Custom<TestBackend>(([first]) => first, fail)
        : STRATEGIES[strategy].create<TestBackend>(settings);
    this.pool = {
      members: [],
      eligible: [],
      totalWeight: 0,
      inFlight: backends.reduce((sum, { inFlight }) => sum + inFlight, 0),
      chooser,
    };
    this.#random = uniform(seed);
    this.set(backends);
  }

  set(members: readonly TestBackend[], eligible = members): void {
    setCandidates(this.pool, members, eligible);
  }

  pick(tried: readonly TestBackend[] = [], key = hashOf(`key-${this.#picks++}`)): TestBackend | undefined {
    return this.pool.chooser.pick(this.pool, tried, { ...NO_FEATURES, key, random: this.#random });
  }

  /** Begins (1) or ends (-1) requests. */
  load(candidate: TestBackend, requests: number): void {
    candidate.inFlight += requests;
    candidate.own += requests;
    this.pool.inFlight += requests;
    this.pool.chooser.moved?.(candidate);
  }

  /** Sets how many requests others are thought to have under way. */
  estimate(candidate: TestBackend, requests: number): void {
    const { inFlight, own } = candidate;
    candidate.inFlight = own + requests;
    this.pool.inFlight += candidate.inFlight - inFlight;
    this.pool.chooser.moved?.(candidate);
  }

  /** Ids of successive picks. */
  sequence(length: number): string {
    return Array.from({ length }, () => this.pick()?.id ?? '-').join('');
  }

  count(picks: number): Map<string, number> {
    const counts = new Map<string, number>();
    for (let pick = 0; pick < picks; pick++) {
      const { id } = this.pick()!;
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return counts;
  }

  /** Chi-square of the counts of so many picks against shares by weight. */
  chiSquare(picks: number): number {
    const counts = this.count(picks);
    const { members } = this.pool;
    const total = members.reduce((sum, { fullWeight }) => sum + fullWeight, 0);
    return members.reduce((sum, { id, fullWeight }) => {
      const expected = (picks * fullWeight) / total;
      return sum + ((counts.get(id) ?? 0) - expected) ** 2 / expected;
    }, 0);
  }
}

function fail(cause: string): never {
  throw new Error(cause);
}

/** 99.9 % quantiles of chi-square by degrees of freedom. */
export const QUANTILE = [0, 10.83, 13.82, 16.27, 18.47, 20.52];
