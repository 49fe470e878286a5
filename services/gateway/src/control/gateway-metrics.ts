import type { HistogramSample, Metrics, Sample } from '@usher/ports';
import { LATENCY_BOUNDS_S, type WireCounts } from '../wire/counters.ts';
import { sumByMethod } from '../wire/method-counts.ts';
import type { Measurement } from '../worker/protocol.ts';
import { exposeAdmission } from './admission-metrics.ts';
import { exposeLines } from './line-metrics.ts';
import { exposeMirrors } from './mirror-metrics.ts';
import type { BackendTotals } from './observations.ts';
import { exposeReservations } from './reservation-metrics.ts';
import type { PoolReservationsSeen } from './reservations/allocations.ts';
import { exposeSessions, type StickySources } from './sticky-metrics.ts';
import { exposeTls, type TlsSources } from './tls-metrics.ts';

export interface MetricsSources extends TlsSources, Pick<StickySources, 'moves'> {
  measure(): Promise<readonly { readonly worker: number; readonly measurement: Measurement }[]>;
  /** The last measurements of workers that died: without them counters would run backwards. */
  departed(): readonly Measurement[];
  backends(): ReadonlyMap<string, BackendTotals & { readonly pool: string }>;
  restarts(): number;
  /** Names of backends' hosts with their addresses. */
  hosts(): ReadonlyMap<string, readonly string[]>;
  reservations(): ReadonlyMap<string, PoolReservationsSeen>;
}

/** Collectors of one scrape share one measurement: they are called within a moment of each other. */
class SharedMeasurement {
  readonly #sources: MetricsSources;
  #current: ReturnType<MetricsSources['measure']> | undefined;

  constructor(sources: MetricsSources) {
    this.#sources = sources;
  }

  async living() {
    this.#current ??= this.#sources.measure().finally(() => {
      this.#current = undefined;
    });
    return this.#current;
  }

  /** Of the workers that live and those that lived. */
  async all(): Promise<Measurement[]> {
    const living = await this.living();
    return [...living.map(({ measurement }) => measurement), ...this.#sources.departed()];
  }
}

/** Registers the metrics of a gateway; everything is read when it is scraped. */
export function exposeMetrics(metrics: Metrics, sources: MetricsSources): void {
  const shared = new SharedMeasurement(sources);
  exposeRequests(metrics, shared);
  exposeMethods(metrics, shared);
  exposeConnections(metrics, shared);
  exposeBackends(metrics, shared, sources);
  exposeHosts(metrics, sources);
  exposeWorkers(metrics, shared, sources);
  exposeLines(metrics, () => shared.all());
  exposeAdmission(metrics, () => shared.all());
  exposeMirrors(metrics, () => shared.all());
  exposeSessions(metrics, { all: () => shared.all(), moves: sources.moves });
  exposeReservations(metrics, () => sources.reservations());
  exposeTls(metrics, sources, async () => (await shared.all()).map(({ tls }) => tls));
}

function exposeRequests(metrics: Metrics, shared: SharedMeasurement): void {
  metrics.counter(
    'usher_requests_total',
    'Requests answered, by route, pool and class of status',
    async () => {
      const sums = new Map<string, { labels: Sample['labels']; value: number }>();
      for (const { routes } of await shared.all()) {
        for (const { route, pool, answers } of routes) {
          for (const [status, count] of answers.entries()) {
            if (count === 0) continue;
            const labels = { route, pool, code: `${status}xx` };
            const key = JSON.stringify(labels);
            const sum = sums.get(key) ?? { labels, value: 0 };
            sum.value += count;
            sums.set(key, sum);
          }
        }
      }
      return [...sums.values()];
    },
  );
  metrics.histogram(
    'usher_request_duration_seconds',
    'Time from the head of a request to the end of its answer, by lane',
    LATENCY_BOUNDS_S,
    async () => {
      const all = await shared.all();
      return [
        histogram(
          'wire',
          all.map(({ wire }) => wire),
        ),
        histogram(
          'plugin',
          all.map(({ plugin }) => plugin),
        ),
      ];
    },
  );
  lanes(metrics, shared, 'usher_retries_total', 'Attempts after the first', ({ retries }) => retries);
  lanes(
    metrics,
    shared,
    'usher_client_aborts_total',
    'Requests whose client left',
    ({ clientAborts }) => clientAborts,
  );
  lanes(
    metrics,
    shared,
    'usher_bad_requests_total',
    'Requests that were not valid',
    ({ badRequests }) => badRequests,
  );
  lanes(
    metrics,
    shared,
    'usher_broken_responses_total',
    'Responses that broke off or broke the grammar after their head was sent on',
    ({ brokenResponses }) => brokenResponses,
  );
}

function exposeMethods(metrics: Metrics, shared: SharedMeasurement): void {
  metrics.counter(
    'usher_requests_by_method_total',
    'Requests answered, by method and status; counted with metrics.format: connx',
    async () => {
      const all = await shared.all();
      const sums = sumByMethod(all.flatMap(({ wire, plugin }) => [wire.byMethod, plugin.byMethod]));
      return Object.entries(sums).map(([key, value]) => {
        const [method = '', code = ''] = key.split('_');
        return { labels: { method, code }, value };
      });
    },
  );
}

function exposeConnections(metrics: Metrics, shared: SharedMeasurement): void {
  metrics.counter('usher_connections_total', 'Client connections, by what became of them', async () => {
    const all = await shared.all();
    const sum = (read: (wire: WireCounts) => number) => total(all.map(({ wire }) => read(wire)));
    return [
      { labels: { outcome: 'accepted' }, value: sum((wire) => wire.connectionsAccepted) },
      { labels: { outcome: 'refused' }, value: sum((wire) => wire.connectionsRefused) },
      { labels: { outcome: 'handed_over' }, value: sum((wire) => wire.handedOver) },
    ];
  });
  metrics.gauge('usher_connections', 'Client connections open, by lane', async () => {
    const living = (await shared.living()).map(({ measurement }) => measurement);
    return [
      { labels: { lane: 'wire' }, value: total(living.map(({ wire }) => wire.connectionsOpen)) },
      { labels: { lane: 'plugin' }, value: total(living.map(({ plugin }) => plugin.connectionsOpen)) },
    ];
  });
  metrics.counter('usher_upgrades_total', 'WebSockets, by what became of the wish for one', async () => {
    const all = await shared.all();
    const sum = (read: (wire: WireCounts) => number) => total(all.map(({ wire }) => read(wire)));
    return [
      { labels: { outcome: 'opened' }, value: sum(({ upgrades }) => upgrades) },
      { labels: { outcome: 'refused' }, value: sum(({ upgradesRefused }) => upgradesRefused) },
    ];
  });
  metrics.gauge('usher_upgrades', 'WebSockets open or being opened', async () => {
    const living = (await shared.living()).map(({ measurement }) => measurement);
    return [{ labels: {}, value: total(living.map(({ wire }) => wire.upgradesOpen)) }];
  });
  metrics.counter('usher_client_bytes_total', 'Bytes from and to clients, by direction', async () => {
    const all = await shared.all();
    return [
      {
        labels: { direction: 'in' },
        value: total(all.map(({ wire, plugin }) => wire.bytesIn + plugin.bytesIn)),
      },
      {
        labels: { direction: 'out' },
        value: total(all.map(({ wire, plugin }) => wire.bytesOut + plugin.bytesOut)),
      },
    ];
  });
}

function exposeBackends(metrics: Metrics, shared: SharedMeasurement, sources: MetricsSources): void {
  metrics.counter('usher_backend_requests_total', 'Attempts that ended, by whose fault', () =>
    [...sources.backends()].flatMap(([backend, { pool, requests, failures }]) => [
      { labels: { backend, pool, outcome: 'ok' }, value: requests - failures },
      { labels: { backend, pool, outcome: 'failed' }, value: failures },
    ]),
  );
  metrics.counter('usher_backend_attempt_seconds_total', 'Time spent in attempts that ended', () =>
    [...sources.backends()].map(([backend, { pool, latencySumMs }]) => ({
      labels: { backend, pool },
      value: latencySumMs / 1000,
    })),
  );
  metrics.counter(
    'usher_backend_connect_failures_total',
    'Connections to backends that did not come about, by why',
    async () => {
      const backends = sources.backends();
      const sums = new Map<string, { labels: Sample['labels']; value: number }>();
      for (const { backend, cause, count } of (await shared.all()).flatMap(
        ({ connectFailures }) => connectFailures,
      )) {
        const labels = { backend, pool: backends.get(backend)?.pool ?? '', cause };
        const key = JSON.stringify(labels);
        const value = count + (sums.get(key)?.value ?? 0);
        sums.set(key, { labels, value });
      }
      return [...sums.values()];
    },
  );
  metrics.gauge('usher_backend_in_flight', 'Attempts under way', () =>
    [...sources.backends()].map(([backend, { pool, inFlight }]) => ({
      labels: { backend, pool },
      value: inFlight,
    })),
  );
  metrics.gauge('usher_backend_eligible', 'Whether new requests may be sent to the backend', async () => {
    const living = await shared.living();
    const choosable = new Set(living.flatMap(({ measurement }) => measurement.choosable));
    return [...sources.backends()].map(([backend, { pool }]) => ({
      labels: { backend, pool },
      value: choosable.has(backend) ? 1 : 0,
    }));
  });
}

function exposeHosts(metrics: Metrics, sources: MetricsSources): void {
  metrics.gauge(
    'usher_host_addresses',
    'Addresses of the host names of backends; 0 when a name does not resolve',
    () => Array.from(sources.hosts(), ([host, addresses]) => ({ labels: { host }, value: addresses.length })),
  );
}

function exposeWorkers(metrics: Metrics, shared: SharedMeasurement, sources: MetricsSources): void {
  metrics.counter('usher_worker_restarts_total', 'Workers that died and were started again', () => [
    { labels: {}, value: sources.restarts() },
  ]);
  const perWorker = (name: string, help: string, read: (measurement: Measurement) => number) =>
    metrics.gauge(name, help, async () =>
      (await shared.living()).map(({ worker, measurement }) => ({
        labels: { worker: String(worker) },
        value: read(measurement),
      })),
    );
  perWorker(
    'usher_worker_event_loop_delay_max_seconds',
    'The most that a worker was late since the last scrape',
    ({ loopDelayMaxMs }) => loopDelayMaxMs / 1000,
  );
  perWorker(
    'usher_worker_utilization_ratio',
    'Share of time that a worker was busy since the last scrape',
    ({ loopUtilization }) => loopUtilization,
  );
}

function lanes(
  metrics: Metrics,
  shared: SharedMeasurement,
  name: string,
  help: string,
  read: (counts: WireCounts) => number,
): void {
  metrics.counter(name, help, async () => {
    const all = await shared.all();
    return [
      { labels: { lane: 'wire' }, value: total(all.map(({ wire }) => read(wire))) },
      { labels: { lane: 'plugin' }, value: total(all.map(({ plugin }) => read(plugin))) },
    ];
  });
}

function histogram(lane: string, counts: readonly WireCounts[]): HistogramSample {
  const sums = Array.from({ length: LATENCY_BOUNDS_S.length + 1 }, () => 0);
  for (const { latencyCounts } of counts)
    for (const [index, count] of latencyCounts.entries()) sums[index]! += count;
  return {
    labels: { lane },
    counts: sums,
    sum: total(counts.map(({ latencySumMs }) => latencySumMs)) / 1000,
  };
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
