import { expect, test } from 'vitest';
import { hashOf } from '../strategies/hash.ts';
import { decideArm, exceedsWhole, pointOf, poolsOf } from './arms.ts';

const AREAS = {
  pool: 'web',
  split: {
    pools: [
      { pool: 'a', share: 0.1 },
      { pool: 'b', share: 0.2 },
    ],
  },
};
const at = (point: number) => decideArm(AREAS, { canary: null, point }).pool;

test('each pool has its part of the points, and the pool of the route what is left', () => {
  expect([0, 0.0999, 0.1, 0.2999, 0.3, 0.9999].map(at)).toEqual(['a', 'a', 'b', 'b', 'web', 'web']);
});

test('users fall evenly, and not by chance', () => {
  const users = Array.from({ length: 10_000 }, (_, user) => at(pointOf(hashOf(`user-${user}`))));
  const part = (pool: string) => users.filter((each) => each === pool).length / users.length;
  expect(part('a')).toBeCloseTo(0.1, 1.5);
  expect(part('b')).toBeCloseTo(0.2, 1.5);
  expect(pointOf(hashOf('mara'))).toBe(pointOf(hashOf('mara')));
});

/** Which of many users a pool with this share has. */
const had = (share: number) =>
  Array.from({ length: 2_000 }, (_, user) => user).filter(
    (user) =>
      decideArm(
        { pool: 'web', split: { pools: [{ pool: 'next', share }] } },
        { canary: null, point: pointOf(hashOf(`user-${user}`)) },
      ).pool === 'next',
  );

test('a pool that gets more keeps all whom it had', () => {
  const [few, more] = [had(0.05), new Set(had(0.2))];
  expect(few.length).toBeGreaterThan(50);
  expect(few.every((user) => more.has(user))).toBe(true);
});

test('shares that are the whole together leave nothing, also where sums are not exact', () => {
  const thirds = [0.1, 0.2, 0.3, 0.4].map((share, index) => ({ pool: `p${index}`, share }));
  expect(exceedsWhole({ pools: thirds })).toBe(false);
  expect(exceedsWhole({ pools: [...thirds, { pool: 'x', share: 0.01 }] })).toBe(true);
  expect(decideArm({ pool: 'web', split: { pools: thirds } }, { canary: null, point: 0.9999999 }).pool).toBe(
    'p3',
  );
});

test('whoever asks for a pool comes before the split, also when that canary is gone', () => {
  const canaries = [{ by: 'cookie', name: 'beta', pool: 'c' } as const];
  expect(decideArm({ ...AREAS, canaries }, { canary: 0, point: 0 })).toMatchObject({
    by: 'canary',
    pool: 'c',
  });
  expect(decideArm(AREAS, { canary: 0, point: null })).toMatchObject({ by: 'rest', pool: 'web' });
  expect(poolsOf({ ...AREAS, canaries })).toEqual(['web', 'c', 'a', 'b']);
});
