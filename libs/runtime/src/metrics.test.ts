import { expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';

const empty = () => [];

test('families are read when they are rendered', async () => {
  const metrics = createMetrics();
  let served = 1;
  metrics.counter('usher_requests_total', 'Requests.', () => [{ labels: { pool: 'web' }, value: served }]);
  metrics.gauge('usher_backends', 'Backends.', () => Promise.resolve([{ labels: {}, value: 2.5 }]));
  served = 7;
  const text = await metrics.render();
  expect(text).toContain('# HELP usher_requests_total Requests.\n# TYPE usher_requests_total counter\n');
  expect(text).toContain('\nusher_requests_total{pool="web"} 7\n');
  expect(text).toContain('\nusher_backends 2.5\n');
});

test('histograms become cumulative, with sum and count', async () => {
  const metrics = createMetrics();
  metrics.histogram('usher_wait_seconds', 'Waiting.', [0.1, 1], () => [
    { labels: { pool: 'web' }, counts: [3, 2, 1], sum: 4.5 },
  ]);
  const lines = (await metrics.render()).split('\n').filter((line) => line.startsWith('usher_wait'));
  expect(lines).toEqual([
    'usher_wait_seconds_bucket{pool="web",le="0.1"} 3',
    'usher_wait_seconds_bucket{pool="web",le="1"} 5',
    'usher_wait_seconds_bucket{pool="web",le="+Inf"} 6',
    'usher_wait_seconds_sum{pool="web"} 4.5',
    'usher_wait_seconds_count{pool="web"} 6',
  ]);
});

test('label values are escaped', async () => {
  const metrics = createMetrics();
  metrics.gauge('usher_odd', 'Odd.', () => [{ labels: { cause: 'a "b"\\\nc' }, value: 1 }]);
  expect(await metrics.render()).toContain('usher_odd{cause="a \\"b\\"\\\\\\nc"} 1\n');
});

test('metrics of the process and of Node come along', async () => {
  const text = await createMetrics().render();
  expect(text).toContain('\nprocess_cpu_user_seconds_total ');
  expect(text).toContain('\nnodejs_eventloop_lag_seconds ');
});

test('a family that fails is left out and counted, the others stay', async () => {
  const metrics = createMetrics();
  metrics.gauge('usher_broken', 'Broken.', () => {
    throw new Error('no');
  });
  metrics.gauge('usher_whole', 'Whole.', () => [{ labels: {}, value: 1 }]);
  await metrics.render();
  const text = await metrics.render();
  expect(text).not.toContain('usher_broken ');
  expect(text).toContain('usher_whole 1\n');
  expect(text).toContain('usher_metrics_failures_total{family="usher_broken"} 1\n');
});

test('names that break the convention, and the same name twice, are refused', () => {
  const metrics = createMetrics();
  expect(() => metrics.counter('usher_requests', 'x', empty)).toThrow(/end in _total/);
  expect(() => metrics.gauge('usher_requests_total', 'x', empty)).toThrow(/end in _total/);
  expect(() => metrics.gauge('requests', 'x', empty)).toThrow(/usher_/);
  metrics.gauge('usher_once', 'x', empty);
  expect(() => metrics.gauge('usher_once', 'x', empty)).toThrow(/twice/);
});

test('what families have can be read one by one', async () => {
  const metrics = createMetrics();
  metrics.gauge('usher_one', 'x', () => [{ labels: {}, value: 2 }]);
  metrics.histogram('usher_wait_seconds', 'x', [0.1], () => [{ labels: {}, counts: [3, 1], sum: 1 }]);
  expect(await metrics.samples('usher_one')).toEqual([{ labels: {}, value: 2 }]);
  expect(await metrics.samples('usher_other')).toEqual([]);
  expect(await metrics.distribution('usher_wait_seconds')).toEqual({
    bounds: [0.1],
    samples: [{ labels: {}, counts: [3, 1], sum: 1 }],
  });
  expect(await metrics.distribution('usher_one')).toBeUndefined();
});
