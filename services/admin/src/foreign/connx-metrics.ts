import { type BackendState, eligibility } from '@usher/domain';
import type { Sample, ServiceContext } from '@usher/ports';
import { familyHead, type MetricsForm, type MetricsReading, sampleLines } from '@usher/runtime';
import { durationsOf, sumOf } from './sums.ts';

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * The metrics of a gateway by the names that ConnX gives them. What ConnX promises and does not keep is kept: connections
 * are counted, and requests a second are those since the last time that somebody asked. Backends of `ownPool` are this process itself, and nobody declared them.
 */
export function connxMetrics(
  { clock, fleet }: Pick<ServiceContext, 'clock' | 'fleet'>,
  metrics: MetricsReading,
  ownPool: string,
): MetricsForm {
  const startedMs = clock.steady();
  let before = { atMs: startedMs, requests: 0, perSecond: 0 };
  return {
    contentType: CONTENT_TYPE,
    async render() {
      const requests = await metrics.samples('usher_requests_total');
      const byMethod = await metrics.samples('usher_requests_by_method_total');
      const connections = sumOf(await metrics.samples('usher_connections'));
      const up = await upBy(metrics);
      const { mean, quantile } = await durationsOf(metrics);
      const [nowMs, total] = [clock.steady(), sumOf(requests)];
      if (nowMs > before.atMs) {
        const perSecond = ((total - before.requests) * 1000) / (nowMs - before.atMs);
        before = { atMs: nowMs, requests: total, perSecond };
      }
      const times = { avg: mean, '0.95': quantile(0.95), '0.99': quantile(0.99) };
      return [
        family(
          'requests_total',
          'counter',
          'Requests answered, by method and status',
          byMethodStatus(byMethod),
        ),
        family('errors_total', 'counter', 'Requests answered with 5xx', [
          one(sumOf(requests, { code: '5xx' })),
        ]),
        family('active_connections', 'gauge', 'Client connections open', [one(connections)]),
        family(
          'response_time_seconds',
          'gauge',
          'How long requests took',
          Object.entries(times).map(([quantile, value]) => ({ labels: { quantile }, value })),
        ),
        family(
          'backend_up',
          'gauge',
          'Whether requests are sent to the backend',
          [...fleet.state.backends.values()]
            .filter(({ settings }) => settings.pool !== ownPool)
            .map((backend) => ({ labels: { backend: backend.settings.url }, value: up(backend) })),
        ),
        family('uptime_seconds', 'gauge', 'Since the process started', [one((nowMs - startedMs) / 1000)]),
        family('requests_per_second', 'gauge', 'Since the metrics were last read', [one(before.perSecond)]),
      ].join('');
    },
  };
}

/** Whether requests are sent to a backend: as the gateway says that is in this process, and otherwise as the fleet does. */
async function upBy(metrics: MetricsReading): Promise<(backend: BackendState) => number> {
  const eligible = await metrics.samples('usher_backend_eligible');
  const known = new Map(eligible.map(({ labels, value }) => [labels['backend'], value]));
  return (backend) => {
    const agreed = eligibility(backend) === 'ok' && backend.ejectedBy.size === 0;
    return known.get(backend.settings.id) ?? (agreed ? 1 : 0);
  };
}

function family(name: string, type: string, help: string, samples: readonly Sample[]): string {
  const full = `connx_${name}`;
  return familyHead(full, type, help) + sampleLines(full, samples);
}

function one(value: number): Sample {
  return { labels: {}, value };
}

function byMethodStatus(requests: readonly Sample[]): Sample[] {
  return requests.map(({ labels: { method, code }, value }) => ({
    labels: { method_status: `${method}_${code}` },
    value,
  }));
}
