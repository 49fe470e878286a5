import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NO_PROBES, nextCounts, nextHealth, probeIntervalMs } from './health-rules.ts';

const timing = { fall: 3, rise: 2 };
const after = (...outcomes: boolean[]) => outcomes.reduce(nextCounts, NO_PROBES);

test('a healthy backend falls after so many failures in a row, and not before', () => {
  expect(nextHealth('healthy', after(false, false), timing)).toBeUndefined();
  expect(nextHealth('healthy', after(false, false, true, false, false), timing)).toBeUndefined();
  expect(nextHealth('healthy', after(false, false, false), timing)).toBe('unhealthy');
});

test('an unhealthy backend rises after so many successes in a row, and not before', () => {
  expect(nextHealth('unhealthy', after(true), timing)).toBeUndefined();
  expect(nextHealth('unhealthy', after(true, false, true), timing)).toBeUndefined();
  expect(nextHealth('unhealthy', after(true, true), timing)).toBe('healthy');
});

test('an unknown backend is admitted by its first success', () => {
  expect(nextHealth('unknown', after(true), timing)).toBe('healthy');
  expect(nextHealth('unknown', after(false, false), timing)).toBeUndefined();
  expect(nextHealth('unknown', after(false, false, false), timing)).toBe('unhealthy');
});

test('without probes in the pool nothing is found', () => {
  expect(nextHealth('unchecked', after(true, true, true), timing)).toBeUndefined();
});

test('whatever the outcomes, a finding names the side of the last one and is never what the log says already', () => {
  const health = fc.constantFrom('unknown', 'healthy', 'unhealthy', 'unchecked');
  const thresholds = fc.record({
    fall: fc.integer({ min: 1, max: 5 }),
    rise: fc.integer({ min: 1, max: 5 }),
  });
  fc.assert(
    fc.property(health, fc.array(fc.boolean(), { minLength: 1 }), thresholds, (before, outcomes, limits) => {
      const found = nextHealth(before, after(...outcomes), limits);
      if (found === undefined) return true;
      return found !== before && (found === 'healthy') === outcomes.at(-1);
    }),
  );
});

test('an unhealthy backend is admitted by its first success while nobody of its pool is healthy', () => {
  expect(nextHealth('unhealthy', after(false, true), timing, true)).toBe('healthy');
  expect(nextHealth('unhealthy', after(false, true), timing, false)).toBeUndefined();
});

/** The interval of a backend whose probes ended like this, without chance. */
const intervalOf = (
  health: Parameters<typeof probeIntervalMs>[0],
  counts: Parameters<typeof probeIntervalMs>[1],
  times: Parameters<typeof probeIntervalMs>[2],
  alone = false,
) => probeIntervalMs(health, counts, times, alone, 0);

test('probes come faster while a backend is changing sides', () => {
  const every = { intervalMs: 10_000 };
  expect(intervalOf('healthy', after(true), every)).toBe(10_000);
  expect(intervalOf('healthy', after(false), every)).toBe(2000);
  expect(intervalOf('unhealthy', after(false), every)).toBe(10_000);
  expect(intervalOf('unhealthy', after(true), every)).toBe(2000);
  expect(intervalOf('unknown', after(false), every)).toBe(2000);
});

test('faster means no less than a second, and never slower than the interval itself', () => {
  expect(intervalOf('healthy', after(false), { intervalMs: 2000 })).toBe(1000);
  expect(intervalOf('healthy', after(false), { intervalMs: 200 })).toBe(200);
});

test('probes of a backend that stays down come slower the longer it does, unless nobody else is healthy', () => {
  const every = { intervalMs: 5000, downIntervalMs: 15_000 };
  const failed = (times: number) => after(...Array.from({ length: times }, () => false));
  expect([3, 10, 12, 20, 30, 1000].map((times) => intervalOf('unhealthy', failed(times), every))).toEqual([
    5000, 5000, 6000, 10_000, 15_000, 15_000,
  ]);
  expect(intervalOf('unhealthy', failed(1000), every, true)).toBe(4500);
  expect(intervalOf('unhealthy', failed(1000), { intervalMs: 5000 })).toBe(5000);
  expect(intervalOf('unhealthy', after(...Array.from({ length: 99 }, () => false), true), every)).toBe(1000);
});

test('intervals are shorter than said by up to a fifth, and never longer', () => {
  const every = { intervalMs: 1000 };
  expect(probeIntervalMs('healthy', after(true), every, false, 0)).toBe(1000);
  expect(probeIntervalMs('healthy', after(true), every, false, 1)).toBeCloseTo(800);
});

test('with nobody else healthy a probe and what follows from it fit into an interval', () => {
  const every = { intervalMs: 1000 };
  expect(probeIntervalMs('unhealthy', after(false), every, true, 0)).toBe(900);
  expect(probeIntervalMs('unhealthy', after(false), every, true, 1)).toBeCloseTo(800);
});
