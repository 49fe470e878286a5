import { describe, expect, test } from 'vitest';
import { hashOf } from './hash.ts';
import { backend, type TestBackend, TestPool, weights } from './testing/pools.ts';

const HASHES = ['ip_hash', 'consistent_hash', 'maglev'] as const;
const KEYS = 20_000;

/** For each key the id of its backend. */
function ownersIn(pool: TestPool): string[] {
  return Array.from({ length: KEYS }, (_, key) => pool.pick([], hashOf(`user-${key}`))!.id);
}

function numbered(count: number): TestBackend[] {
  return Array.from({ length: count }, (_, index) => backend(`web-${index + 1}`));
}

/** Keys that are somewhere else, and those of them that have gone to nobody in `to`. */
function moved(before: readonly string[], after: readonly string[], to: readonly string[] = []) {
  const changed = before.flatMap((id, key) => (after[key] === id ? [] : [after[key]!]));
  return { share: changed.length / KEYS, elsewhere: changed.filter((id) => !to.includes(id)).length / KEYS };
}

describe.each(HASHES)('%s', (name) => {
  test('gives a key to the same backend, whoever is asked and in whatever order backends were added', () => {
    const owners = ownersIn(new TestPool(name, numbered(10)));
    expect(ownersIn(new TestPool(name, numbered(10), 99))).toEqual(owners);
    expect(ownersIn(new TestPool(name, numbered(10).toReversed()))).toEqual(owners);
  });

  test('moves only the keys of a backend that is down, to all the others, and back', () => {
    const backends = numbered(10);
    const pool = new TestPool(name, backends);
    const before = ownersIn(pool);
    pool.set(
      backends,
      backends.filter(({ id }) => id !== 'web-4'),
    );
    const during = ownersIn(pool);
    for (const [key, id] of before.entries()) if (id !== 'web-4') expect(during[key]).toBe(id);
    const heirs = during.filter((_, key) => before[key] === 'web-4');
    expect(new Set(heirs).size).toBe(9);
    for (const { id } of backends.filter((each) => each.id !== 'web-4')) {
      const share = heirs.filter((heir) => heir === id).length / heirs.length;
      expect(share).toBeGreaterThan(0.06);
      expect(share).toBeLessThan(0.17);
    }
    pool.set(backends);
    expect(ownersIn(pool)).toEqual(before);
  });

  test('sends a retry to the backend that would have the key if the first one were down', () => {
    const backends = numbered(5);
    const pool = new TestPool(name, backends);
    const key = hashOf('user-1');
    const first = pool.pick([], key)!;
    const second = pool.pick([first], key)!;
    pool.set(
      backends,
      backends.filter((each) => each !== first),
    );
    expect(pool.pick([], key)).toBe(second);
  });

  test('does not move keys when a slow start changes weights', () => {
    const backends = numbered(4);
    const pool = new TestPool(name, backends);
    const before = ownersIn(pool);
    backends[2]!.weight = 0.9;
    pool.set(backends);
    expect(ownersIn(pool)).toEqual(before);
  });
});

describe.each(['ip_hash', 'consistent_hash'] as const)('the keys of %s', (name) => {
  test('go to an eleventh backend from ten, and nowhere else', () => {
    const before = ownersIn(new TestPool(name, numbered(10)));
    const { share, elsewhere } = moved(before, ownersIn(new TestPool(name, numbered(11))), ['web-11']);
    expect(share).toBeGreaterThan(0.085);
    expect(share).toBeLessThan(0.1);
    expect(elsewhere).toBe(0);
  });

  test('of a backend that is removed go to all the others, and no other key moves', () => {
    const backends = numbered(11);
    const before = ownersIn(new TestPool(name, backends));
    const after = ownersIn(
      new TestPool(
        name,
        backends.filter(({ id }) => id !== 'web-4'),
      ),
    );
    const heirs = after.filter((_, key) => before[key] === 'web-4');
    expect(heirs.length / KEYS).toBeLessThan(0.1);
    expect(new Set(heirs).size).toBe(10);
    for (const [key, id] of before.entries()) if (id !== 'web-4') expect(after[key]).toBe(id);
  });

  test('leave a backend that gains nothing only for one that gained weight', () => {
    const before = ownersIn(new TestPool(name, weights(1, 1, 1, 1)));
    const after = ownersIn(new TestPool(name, weights(1, 2, 1, 1)));
    const { share, elsewhere } = moved(before, after, ['b']);
    expect(elsewhere).toBe(0);
    expect(share).toBeGreaterThan(0.14);
    expect(share).toBeLessThan(0.16);
  });
});

describe('the keys of maglev', () => {
  test('move to an eleventh backend from ten, and few elsewhere', () => {
    const before = ownersIn(new TestPool('maglev', numbered(10)));
    const { share, elsewhere } = moved(before, ownersIn(new TestPool('maglev', numbered(11))), ['web-11']);
    expect(share).toBeGreaterThan(0.085);
    expect(share).toBeLessThan(0.1);
    expect(elsewhere).toBeLessThan(0.01);
  });
});

describe('consistent_hash', () => {
  test('gives a backend no more than a quarter above its part of the requests under way', () => {
    const backends = weights(2, 1, 1);
    const pool = new TestPool('consistent_hash', backends);
    for (let request = 1; request <= 400; request++) {
      pool.load(pool.pick([], hashOf('the one hot key'))!, 1);
      for (const { weight, inFlight } of backends)
        expect(inFlight).toBeLessThanOrEqual(Math.ceil((1.25 * request * weight) / 4));
    }
  });

  test('gives a key to its own backend again as soon as there is room', () => {
    const pool = new TestPool('consistent_hash', weights(1, 1, 1, 1));
    const key = hashOf('user-1');
    const own = pool.pick([], key)!;
    pool.load(own, 1);
    expect(pool.pick([], key)).not.toBe(own);
    pool.load(own, -1);
    expect(pool.pick([], key)).toBe(own);
  });
});

describe('ip_hash', () => {
  test('keeps a key where it is, however loaded that is', () => {
    const pool = new TestPool('ip_hash', weights(1, 1, 1, 1));
    const key = hashOf('10.0.0.1');
    const own = pool.pick([], key)!;
    pool.load(own, 1000);
    expect(pool.pick([], key)).toBe(own);
  });
});

describe('hashOf', () => {
  test('is the same for a text wherever it stands, and spreads texts that differ little', () => {
    expect(hashOf('xx10.0.0.1yy', 2, 10)).toBe(hashOf('10.0.0.1'));
    const buckets = Array.from({ length: 16 }, () => 0);
    for (let index = 0; index < 160_000; index++)
      buckets[hashOf(`10.0.${index >> 8}.${index & 255}`) >>> 28]! += 1;
    const chi = buckets.reduce((sum, seen) => sum + (seen - 10_000) ** 2 / 10_000, 0);
    expect(chi).toBeLessThan(37.7);
  });
});
