import type { Sample, ServiceContext } from '@usher/ports';
import { type BackendMonitor, DURATION_BOUNDS } from './backend-monitor.ts';

/** Metrics of probing. What this process does not probe has no probe metrics here; the process that does has them. */
export function registerHealthMetrics(
  { metrics, fleet }: ServiceContext,
  monitors: ReadonlyMap<string, BackendMonitor>,
  acting: () => boolean,
): void {
  metrics.counter('usher_health_probes_total', 'Probes by result: ok, failed or timed_out.', () =>
    [...monitors.values()].flatMap(({ plan: { backend, pool }, tally }): Sample[] => [
      { labels: { pool, backend, result: 'ok' }, value: tally.ok },
      { labels: { pool, backend, result: 'failed' }, value: tally.failed },
      { labels: { pool, backend, result: 'timed_out' }, value: tally.timedOut },
    ]),
  );
  metrics.histogram(
    'usher_health_probe_duration_seconds',
    'How long successful probes took.',
    DURATION_BOUNDS,
    () =>
      [...monitors.values()].map(({ plan: { backend, pool }, tally }) => ({
        labels: { pool, backend },
        counts: tally.durations,
        sum: tally.durationSumS,
      })),
  );
  metrics.gauge('usher_health_backend_up', 'Whether the log says that a probed backend is healthy.', () =>
    [...fleet.state.backends.values()]
      .filter(({ health }) => health !== 'unchecked')
      .map(({ settings, health }) => ({
        labels: { pool: settings.pool, backend: settings.id },
        value: health === 'healthy' ? 1 : 0,
      })),
  );
  metrics.gauge('usher_health_acting', 'Whether this process is the one that probes.', () => [
    { labels: {}, value: acting() ? 1 : 0 },
  ]);
}
