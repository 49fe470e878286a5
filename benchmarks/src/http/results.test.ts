import { expect, test } from 'vitest';
import { type Measurement, median, summarize } from './results.ts';

const measured = (requests: number, cpuUs: number, errors = 0): Measurement => ({
  requests,
  cpuUs,
  errors,
  durationUs: 1e6,
  p50Us: 100,
  p99Us: 200,
  rssBytes: 2 ** 20,
});

test('the median of an even number of values is between the two in the middle', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
});

test('proxies are compared round by round, so that drift of the machine cancels out', () => {
  // The machine gets twice as slow after the first round; Usher always costs 1.5 times what HAProxy costs.
  const { rows } = summarize('small', 'haproxy', [
    { name: 'usher', version: '1', measurements: [measured(1000, 15_000), measured(500, 15_000, 2)] },
    { name: 'haproxy', version: '2', measurements: [measured(1000, 10_000), measured(500, 10_000)] },
  ]);
  expect(rows[0]).toMatchObject({
    proxy: 'usher',
    requestsPerSecond: 750,
    cpuUsPerRequest: 22.5,
    cpuRatio: { median: 1.5, min: 1.5, max: 1.5 },
    errors: 2,
  });
  expect(rows[1]?.cpuRatio).toEqual({ median: 1, min: 1, max: 1 });
});

test('without the reference in the run there is no ratio', () => {
  const { rows } = summarize('small', 'haproxy', [
    { name: 'usher', version: '1', measurements: [measured(1, 1)] },
  ]);
  expect(rows[0]?.cpuRatio).toBeNull();
});
