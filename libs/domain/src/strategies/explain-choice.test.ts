import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { STRATEGY_NAMES, type StrategyName } from '../settings.ts';
import { explainChoice } from './explain-choice.ts';
import { hashOf } from './hash.ts';
import { NO_FEATURES } from './strategy.ts';
import { backend, type TestBackend, TestPool, uniform, weights } from './testing/pools.ts';

type Step =
  | { readonly do: 'pick'; readonly tried: readonly number[]; readonly key: number }
  | { readonly do: 'load'; readonly of: number; readonly requests: 1 | -1 }
  | { readonly do: 'hear'; readonly of: number; readonly answer: 'answered' | 'refused'; readonly ms: number }
  | { readonly do: 'set'; readonly eligible: readonly number[]; readonly weights: readonly number[] };

const COUNT = 5;
const one = fc.nat({ max: COUNT - 1 });
const pick = fc.record({
  do: fc.constant('pick' as const),
  tried: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.uniqueArray(one, { maxLength: 4 }) },
  ),
  key: fc.nat(),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: pick },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('load' as const), of: one, requests: fc.constantFrom(1, -1) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('hear' as const),
      of: one,
      answer: fc.constantFrom('answered', 'refused'),
      ms: fc.integer({ min: 1, max: 500 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('set' as const),
      eligible: fc.uniqueArray(one, { minLength: 1 }),
      weights: fc.array(fc.constantFrom(0, 0.5, 1, 2, 5), { minLength: COUNT, maxLength: COUNT }),
    }),
  },
);

/** A pool with its own random numbers, the same for every one of a strategy. */
class Explainable extends TestPool {
  readonly backends: readonly TestBackend[];
  readonly random = uniform(7);
  nowMs = 1_000_000;

  constructor(strategy: StrategyName) {
    const backends = weights(1, 2, 1, 3, 1);
    super(strategy, backends);
    this.backends = backends;
  }

  some(indices: readonly number[]): TestBackend[] {
    return indices.map((index) => this.backends[index]!);
  }

  explain(tried: readonly number[], key: number) {
    return explainChoice(this.pool, this.some(tried), { ...NO_FEATURES, key }, this.random);
  }

  /** Answers with the choice, if it is one. */
  take(next: Step): string | undefined {
    this.nowMs += 10;
    if (next.do === 'pick')
      return this.pool.chooser.pick(this.pool, this.some(next.tried), {
        ...NO_FEATURES,
        key: next.key,
        random: this.random,
      })?.id;
    if (next.do === 'set') {
      for (const [at, weight] of next.weights.entries()) {
        this.backends[at]!.weight = weight;
        this.backends[at]!.fullWeight = weight;
      }
      this.set(this.backends, this.some(next.eligible.toSorted((a, b) => a - b)));
      return undefined;
    }
    const of = this.backends[next.of]!;
    if (next.do === 'hear') this.pool.chooser.heard?.(of, next.answer, next.ms, this.nowMs);
    else if (of.inFlight + next.requests >= 0) this.load(of, next.requests);
    return undefined;
  }
}

describe.each(STRATEGY_NAMES)('an explanation of %s', (name) => {
  test('is what is chosen next, and changes nothing', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
        const [asked, left] = [new Explainable(name), new Explainable(name)];
        for (const next of steps) {
          const explained = next.do === 'pick' ? asked.explain(next.tried, next.key) : undefined;
          if (next.do === 'pick') expect(asked.explain(next.tried, next.key)).toEqual(explained);
          const choice = asked.take(next);
          expect(explained?.choice?.id).toBe(choice);
          expect(left.take(next)).toBe(choice);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('has only numbers that JSON can hold, also of backends that nobody has heard of', () => {
    const pool = new Explainable(name);
    pool.take({ do: 'load', of: 1, requests: 1 });
    pool.take({ do: 'hear', of: 0, answer: 'answered', ms: 20 });
    for (const { measures } of [pool.explain([], 5), pool.explain([0, 2], 5)]) {
      for (const value of measures.values())
        for (const number of Object.values(value)) expect(number).toSatisfy(Number.isFinite);
    }
    expect(explainChoice(new TestPool(name, []).pool, [], NO_FEATURES, uniform()).choice).toBeUndefined();
    expect(
      explainChoice(new TestPool(name, [backend('a')]).pool, [], NO_FEATURES, uniform()).choice?.id,
    ).toBe('a');
  });
});

const byId = (measures: ReadonlyMap<TestBackend, object>) =>
  Object.fromEntries([...measures].map(([{ id }, value]) => [id, value]));

describe('what an explanation goes by', () => {
  test('round robin: how many turns come before', () => {
    const pool = new TestPool('round_robin', weights(1, 1, 1));
    pool.pick();
    expect(byId(explainChoice(pool.pool, [], NO_FEATURES, uniform()).measures)).toEqual({
      a: { turnsBefore: 2 },
      b: { turnsBefore: 0 },
      c: { turnsBefore: 1 },
    });
  });

  test('smooth round robin: the credit, of which the choice has most', () => {
    const pool = new TestPool('weighted_round_robin', weights(5, 1, 1));
    expect(pool.sequence(2)).toBe('aa');
    expect(byId(explainChoice(pool.pool, [], NO_FEATURES, uniform()).measures)).toEqual({
      a: { credit: 1 },
      b: { credit: 3 },
      c: { credit: 3 },
    });
    expect(pool.sequence(1)).toBe('b');
  });

  test('two choices: who was drawn, and the load of all', () => {
    const pool = new TestPool('p2c', weights(1, 2));
    pool.load(pool.pool.eligible[1]!, 3);
    const { measures, choice } = explainChoice(pool.pool, [], NO_FEATURES, uniform());
    expect(choice?.id).toBe('a');
    expect(byId(measures)).toEqual({
      a: { load: 0, drawn: expect.any(Number) as number },
      b: { load: 1.5, drawn: expect.any(Number) as number },
    });
  });

  test('least response time: how many times the cheapest', () => {
    const pool = new TestPool('least_response_time', weights(1, 1, 1));
    const [a, b] = pool.pool.eligible;
    pool.pool.chooser.heard?.(a!, 'answered', 10, 1e9);
    pool.pool.chooser.heard?.(b!, 'answered', 40, 1e9);
    const explained = byId(explainChoice(pool.pool, [], NO_FEATURES, uniform()).measures);
    expect(explained).toMatchObject({
      a: { cost: 1, latencyMs: 10 },
      b: { cost: expect.closeTo(4) as number },
    });
    expect(explained['c']).not.toHaveProperty('cost');
  });

  test('a hash: shares of the table, and who was asked in which order', () => {
    const pool = new TestPool('consistent_hash', weights(1, 1, 1, 1));
    const key = hashOf('somebody');
    const own = pool.pick([], key)!;
    pool.load(own, 8);
    const { choice, measures } = explainChoice(pool.pool, [], { ...NO_FEATURES, key }, uniform());
    expect(measures.get(own)).toMatchObject({ asked: 1 });
    expect(measures.get(choice!)).toMatchObject({ asked: expect.any(Number) as number });
    expect(choice).not.toBe(own);
    const shares = [...measures.values()].map(({ tableShare }) => tableShare!);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1);
  });
});
