import { describe, expect, test } from 'vitest';
import { BUILT_IN_STRATEGIES, STRATEGY_NAMES } from '../settings.ts';
import { FastRandom } from './fast-random.ts';
import { backend, QUANTILE, type TestBackend, TestPool, uniform, weights } from './testing/pools.ts';

describe.each(STRATEGY_NAMES)('every strategy: %s', (name) => {
  test('chooses nothing from an empty pool', () => {
    expect(new TestPool(name, []).pick()).toBeUndefined();
  });

  test('never chooses a weight of 0, not even as the last one left', () => {
    const [a, b] = weights(1, 0);
    const pool = new TestPool(name, [a!, b!]);
    for (let pick = 0; pick < 100; pick++) expect(pool.pick()).toBe(a);
    expect(pool.pick([a!])).toBeUndefined();
  });

  test('leaves out what was tried, and chooses nothing once all were', () => {
    const backends = weights(3, 1, 2);
    const pool = new TestPool(name, backends);
    for (let pick = 0; pick < 100; pick++) {
      const tried: TestBackend[] = [];
      for (let attempt = 0; attempt < 3; attempt++) tried.push(pool.pick(tried)!);
      expect(new Set(tried)).toEqual(new Set(backends));
      expect(pool.pick(tried)).toBeUndefined();
    }
  });

  test('finds the last one left, however small its weight', () => {
    const [a, b] = weights(1000, 0.001);
    const pool = new TestPool(name, [a!, b!]);
    expect(pool.pick([a!])).toBe(b);
    pool.set([a!, b!], [b!]);
    expect(pool.pick()).toBe(b);
  });

  test('chooses again alike from the same state with the same chance and keys', () => {
    const [once, again] = [1, 2].map(() => {
      const backends = weights(3, 2, 1);
      const pool = new TestPool(name, backends, 7);
      return Array.from({ length: 500 }, (_, step) => {
        const choice = pool.pick()!;
        pool.load(choice, 1);
        pool.pool.chooser.heard?.(choice, 'answered', 5 + (step % 7), 1_000 + step);
        if (step % 3 === 0) pool.load(choice, -1);
        return choice.id;
      }).join('');
    });
    expect(once).toBe(again);
  });
});

describe.each(BUILT_IN_STRATEGIES)('every strategy of our own: %s', (name) => {
  test('shares 100,000 picks of an idle pool equally among equal backends', () => {
    expect(new TestPool(name, weights(1, 1, 1, 1, 1)).chiSquare(100_000)).toBeLessThan(QUANTILE[4]!);
  });

  test('goes on with those who stay when the eligible change', () => {
    const backends = weights(1, 1, 1);
    const pool = new TestPool(name, backends);
    pool.sequence(5);
    pool.set(backends, [backends[0]!, backends[2]!]);
    expect(new Set(pool.sequence(20))).toEqual(new Set(['a', 'c']));
  });
});

describe.each(BUILT_IN_STRATEGIES.filter((name) => name !== 'round_robin'))('by weight: %s', (name) => {
  test.each([[[5, 1, 1]], [[3, 2, 1]], [[10, 1]], [[0.5, 1.5]], [[0.3, 0.6, 0.1]]])(
    'shares 100,000 picks of an idle pool by weights %j',
    (values) => {
      expect(new TestPool(name, weights(...values)).chiSquare(100_000)).toBeLessThan(
        QUANTILE[values.length - 1]!,
      );
    },
  );
});

describe('round_robin', () => {
  test('goes around in order of registration', () => {
    expect(new TestPool('round_robin', weights(1, 5, 1)).sequence(7)).toBe('abcabca');
  });
});

describe('weighted_round_robin', () => {
  test.each([
    [[5, 1, 1], 'aabacaa'],
    [[3, 2, 1], 'abacba'],
    [[10, 1], 'aaaaabaaaaa'],
    [[1, 2, 1, 2], 'bdacbd'],
  ])('spreads weights %j smoothly as %s, again and again', (values, round) => {
    const pool = new TestPool('weighted_round_robin', weights(...values));
    expect(pool.sequence(round.length * 3)).toBe(round.repeat(3));
  });

  test('gives everybody the turns that crediting everybody each time would', () => {
    const values = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5];
    const credits = values.map(() => 0);
    const total = values.reduce((sum, value) => sum + value, 0);
    const expected = Array.from({ length: 1000 }, () => {
      for (const [index, value] of values.entries()) credits[index]! += value;
      const best = credits.indexOf(Math.max(...credits));
      credits[best]! -= total;
      return 'abcdefghijk'[best];
    }).join('');
    expect(new TestPool('weighted_round_robin', weights(...values)).sequence(1000)).toBe(expected);
  });

  test('does not begin anew when weights are set in between', () => {
    const backends = weights(5, 1, 1);
    const pool = new TestPool('weighted_round_robin', backends);
    let picks = '';
    for (let step = 0; step < 7; step++) {
      picks += pool.sequence(1);
      pool.set(backends);
    }
    expect(picks).toBe('aabacaa');
  });
});

describe('least_connections', () => {
  test('takes the backend with the fewest requests under way for its weight', () => {
    const pool = new TestPool('least_connections', [
      backend('a', 1, 2),
      backend('b', 4, 7),
      backend('c', 1, 3),
    ]);
    expect(pool.sequence(3)).toBe('bbb');
  });

  test('follows requests that begin and end', () => {
    const [a, b, c] = weights(1, 1, 1);
    const pool = new TestPool('least_connections', [a!, b!, c!]);
    pool.load(a!, 2);
    pool.load(b!, 1);
    expect(pool.sequence(2)).toBe('cc');
    pool.load(c!, 3);
    expect(pool.sequence(2)).toBe('bb');
    pool.load(a!, -2);
    expect(pool.sequence(2)).toBe('aa');
  });

  test('rotates among those that tie, the same way each time', () => {
    expect(new TestPool('least_connections', weights(1, 1, 1)).sequence(6)).toBe('abcabc');
    expect(new TestPool('least_connections', weights(3, 1)).sequence(8)).toBe('aabaaaba');
  });

  test('does not make up for the turns that a busy backend let pass', () => {
    const [a, b] = weights(1, 1);
    const pool = new TestPool('least_connections', [a!, b!]);
    pool.load(a!, 1);
    expect(pool.sequence(50)).toBe('b'.repeat(50));
    pool.load(a!, -1);
    expect(pool.sequence(6)).toBe('aababa');
  });

  test('settles at loads in proportion to weights when requests stay', () => {
    const pool = new TestPool('least_connections', weights(3, 2, 1));
    for (let pick = 0; pick < 60; pick++) pool.load(pool.pick()!, 1);
    expect(pool.pool.eligible.map((each) => each.inFlight)).toEqual([30, 20, 10]);
  });

  test('always has the minimum, whatever begins and ends', () => {
    const random = uniform(5);
    const backends = weights(...Array.from({ length: 40 }, (_, index) => 1 + (index % 3)));
    const pool = new TestPool('least_connections', backends);
    for (let step = 0; step < 5000; step++) {
      const choice = pool.pick()!;
      const least = Math.min(...backends.map(({ inFlight, weight }) => inFlight / weight));
      expect(choice.inFlight / choice.weight).toBe(least);
      pool.load(choice, 1);
      const other = backends[Math.floor(random.next() * 40)]!;
      if (other.inFlight > 0 && random.next() < 0.95) pool.load(other, -1);
    }
  });
});

describe('p2c', () => {
  test('of two backends always takes the one with the lighter load for its weight', () => {
    const pool = new TestPool('p2c', [backend('a', 1, 4), backend('b', 2, 9)]);
    expect(new Set(pool.sequence(50))).toEqual(new Set(['a']));
  });

  test('never takes the most loaded backend while there are others', () => {
    const pool = new TestPool('p2c', [backend('a', 1, 1), backend('b', 1, 50), backend('c', 1, 2)]);
    expect(new Set(pool.sequence(200))).toEqual(new Set(['a', 'c']));
  });

  test('keeps loads near their weights when requests stay', () => {
    const pool = new TestPool('p2c', weights(3, 2, 1));
    for (let pick = 0; pick < 6000; pick++) pool.load(pool.pick()!, 1);
    for (const { weight, inFlight } of pool.pool.eligible)
      expect(Math.abs(inFlight - weight * 1000)).toBeLessThan(50);
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
