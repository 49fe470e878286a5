import { describe, expect, test } from 'vitest';
import type { StrategyName } from '../settings.ts';
import { STRATEGY_NAMES } from '../settings.ts';
import { FastRandom } from './fast-random.ts';
import { STRATEGIES } from './registry.ts';
import { type Candidate, type CandidatePool, setEligible } from './strategy.ts';

interface Named extends Candidate {
  readonly id: string;
  weight: number;
  inFlight: number;
}

function candidate(id: string, weight: number, inFlight = 0): Named {
  return { id, weight, inFlight, currentWeight: 0, cumulativeWeight: 0 };
}

function poolOf(candidates: readonly Named[]): CandidatePool<Named> {
  const pool: CandidatePool<Named> = { eligible: [], totalWeight: 0, cursor: 0 };
  setEligible(pool, candidates);
  return pool;
}

function weights(...values: number[]): Named[] {
  return values.map((weight, index) => candidate('abcdefgh'[index]!, weight));
}

function uniform(seed = 1): FastRandom {
  let state = seed;
  return new FastRandom({ next: () => (state = (state * 16807) % 2147483647) / 2147483647 });
}

function sequence(strategy: StrategyName, pool: CandidatePool<Named>, length: number): string {
  const random = uniform();
  return Array.from({ length }, () => STRATEGIES[strategy](pool, [], random)?.id ?? '-').join('');
}

/** Chi-square of observed counts against shares by weight. */
function chiSquare(pool: CandidatePool<Named>, counts: ReadonlyMap<string, number>, picks: number): number {
  let sum = 0;
  for (const { id, weight } of pool.eligible) {
    const expected = (picks * weight) / pool.totalWeight;
    sum += ((counts.get(id) ?? 0) - expected) ** 2 / expected;
  }
  return sum;
}

function count(strategy: StrategyName, pool: CandidatePool<Named>, picks: number): Map<string, number> {
  const random = uniform(42);
  const counts = new Map<string, number>();
  for (let pick = 0; pick < picks; pick++) {
    const { id } = STRATEGIES[strategy](pool, [], random)!;
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

/** 99.9 % quantiles of chi-square by degrees of freedom. */
const QUANTILE = [0, 10.83, 13.82, 16.27, 18.47, 20.52];

describe.each(STRATEGY_NAMES)('every strategy: %s', (name) => {
  const strategy = STRATEGIES[name];

  test('chooses nothing from an empty pool', () => {
    expect(strategy(poolOf([]), [], uniform())).toBeUndefined();
  });

  test('never chooses a weight of 0, not even as the last one left', () => {
    const [a, b] = weights(1, 0) as [Named, Named];
    const pool = poolOf([a, b]);
    for (let pick = 0; pick < 100; pick++) expect(strategy(pool, [], uniform(pick + 1))).toBe(a);
    expect(strategy(pool, [a], uniform())).toBeUndefined();
  });

  test('leaves out what was tried, and chooses nothing once all were', () => {
    const candidates = weights(3, 1, 2);
    const pool = poolOf(candidates);
    const random = uniform(7);
    for (let pick = 0; pick < 100; pick++) {
      const tried: Named[] = [];
      for (let attempt = 0; attempt < 3; attempt++) tried.push(strategy(pool, tried, random)!);
      expect(new Set(tried)).toEqual(new Set(candidates));
      expect(strategy(pool, tried, random)).toBeUndefined();
    }
  });

  test('shares 100,000 picks of an idle pool equally among equal backends', () => {
    const pool = poolOf(weights(1, 1, 1, 1, 1));
    expect(chiSquare(pool, count(name, pool, 100_000), 100_000)).toBeLessThan(QUANTILE[4]!);
  });

  test('goes on with those who stay when the eligible change', () => {
    const [a, b, c] = weights(1, 1, 1) as [Named, Named, Named];
    const pool = poolOf([a, b, c]);
    sequence(name, pool, 5);
    setEligible(pool, [a, c]);
    const after = new Set(sequence(name, pool, 20));
    expect(after).toEqual(new Set(['a', 'c']));
  });
});

describe.each(['weighted_round_robin', 'least_connections', 'p2c'] as const)('by weight: %s', (name) => {
  test.each([
    [5, 1, 1],
    [3, 2, 1],
    [10, 1],
    [0.5, 1.5],
  ])('shares 100,000 picks of an idle pool by weights %s, %s, %s', (...values) => {
    const pool = poolOf(weights(...values.filter((value) => value !== undefined)));
    const picks = 100_000;
    expect(chiSquare(pool, count(name, pool, picks), picks)).toBeLessThan(
      QUANTILE[pool.eligible.length - 1]!,
    );
  });
});

describe('round_robin', () => {
  test('goes around in order of registration', () => {
    expect(sequence('round_robin', poolOf(weights(1, 5, 1)), 7)).toBe('abcabca');
  });
});

describe('weighted_round_robin', () => {
  test.each([
    [[5, 1, 1], 'aabacaa'],
    [[3, 2, 1], 'abacba'],
    [[10, 1], 'aaaaabaaaaa'],
  ])('spreads weights %j smoothly as %s, again and again', (values, round) => {
    expect(sequence('weighted_round_robin', poolOf(weights(...values)), round.length * 3)).toBe(
      round.repeat(3),
    );
  });
});

describe('least_connections', () => {
  test('takes the backend with the fewest requests under way for its weight', () => {
    const pool = poolOf([candidate('a', 1, 2), candidate('b', 4, 7), candidate('c', 1, 3)]);
    expect(sequence('least_connections', pool, 3)).toBe('bbb');
  });

  test('rotates among those that tie, the same way each time', () => {
    expect(sequence('least_connections', poolOf(weights(1, 1, 1)), 6)).toBe('abcabc');
    expect(sequence('least_connections', poolOf(weights(3, 1)), 8)).toBe('aabaaaba');
  });

  test('settles at loads in proportion to weights when requests stay', () => {
    const pool = poolOf(weights(3, 2, 1));
    const random = uniform();
    for (let pick = 0; pick < 60; pick++) STRATEGIES.least_connections(pool, [], random)!.inFlight += 1;
    expect(pool.eligible.map((each) => each.inFlight)).toEqual([30, 20, 10]);
  });
});

describe('p2c', () => {
  test('of two backends always takes the one with the lighter load for its weight', () => {
    const pool = poolOf([candidate('a', 1, 4), candidate('b', 2, 9)]);
    expect(new Set(sequence('p2c', pool, 50))).toEqual(new Set(['a']));
  });

  test('never takes the most loaded backend while there are others', () => {
    const pool = poolOf([candidate('a', 1, 1), candidate('b', 1, 50), candidate('c', 1, 2)]);
    expect(new Set(sequence('p2c', pool, 200))).toEqual(new Set(['a', 'c']));
  });

  test('keeps loads near their weights when requests stay', () => {
    const pool = poolOf(weights(3, 2, 1));
    const random = uniform(3);
    for (let pick = 0; pick < 6000; pick++) STRATEGIES.p2c(pool, [], random)!.inFlight += 1;
    for (const { weight, inFlight } of pool.eligible)
      expect(Math.abs(inFlight - weight * 1000)).toBeLessThan(50);
  });

  test('chooses again alike from the same state with the same chance', () => {
    const first = sequence('p2c', poolOf(weights(3, 2, 1)), 500);
    expect(sequence('p2c', poolOf(weights(3, 2, 1)), 500)).toBe(first);
  });
});

describe('FastRandom', () => {
  test('is uniform in [0, 1)', () => {
    const random = uniform(99);
    const buckets = Array.from({ length: 16 }, () => 0);
    for (let draw = 0; draw < 160_000; draw++) {
      const value = random.next();
      expect(value >= 0 && value < 1).toBe(true);
      buckets[Math.floor(value * 16)]! += 1;
    }
    const chi = buckets.reduce((sum, seen) => sum + (seen - 10_000) ** 2 / 10_000, 0);
    expect(chi).toBeLessThan(37.7);
  });

  test('works even from a source that only gives zero', () => {
    const random = new FastRandom({ next: () => 0 });
    expect(new Set(Array.from({ length: 50 }, () => random.next())).size).toBeGreaterThan(40);
  });
});
