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

test('probes come faster while a backend is changing sides', () => {
  const middle = 0.5;
  expect(probeIntervalMs('healthy', after(true), 10_000, middle)).toBe(10_000);
  expect(probeIntervalMs('healthy', after(false), 10_000, middle)).toBe(2000);
  expect(probeIntervalMs('unhealthy', after(false), 10_000, middle)).toBe(10_000);
  expect(probeIntervalMs('unhealthy', after(true), 10_000, middle)).toBe(2000);
  expect(probeIntervalMs('unknown', after(false), 10_000, middle)).toBe(2000);
});

test('faster means no less than a second, and never slower than the interval itself', () => {
  expect(probeIntervalMs('healthy', after(false), 2000, 0.5)).toBe(1000);
  expect(probeIntervalMs('healthy', after(false), 200, 0.5)).toBe(200);
});

test('intervals vary by a tenth', () => {
  expect(probeIntervalMs('healthy', after(true), 1000, 0)).toBeCloseTo(900);
  expect(probeIntervalMs('healthy', after(true), 1000, 1)).toBeCloseTo(1100);
});
