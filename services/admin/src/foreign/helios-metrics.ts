import { type BackendState, eligibility } from '@usher/domain';
import type { ServiceContext } from '@usher/ports';
import type { MetricsReading } from '@usher/runtime';
import { durationsOf, sumOf } from './sums.ts';

/** A backend as Helios lists it. */
export interface HeliosBackend {
  readonly name: string;
  readonly address: string;
  readonly healthy: boolean;
  readonly active_connections: number;
  readonly weight: number;
}

export interface HeliosMetrics {
  readonly total_requests: number;
  readonly successful_requests: number;
  readonly failed_requests: number;
  readonly average_response_time_ms: number;
  readonly backend_metrics: Readonly<Record<string, HeliosBackendMetrics>>;
  readonly rate_limited_requests: number;
  readonly circuit_breaker_metrics: Readonly<
    Record<string, { readonly name: string; readonly state: string }>
  >;
  readonly start_time: string;
  readonly uptime: string;
}

interface HeliosBackendMetrics {
  readonly name: string;
  readonly total_requests: number;
  readonly successful_requests: number;
  readonly failed_requests: number;
  readonly active_connections: number;
  readonly average_response_time_ms: number;
  readonly is_healthy: boolean;
}

/** When the process started: as people tell the time, and by the steady clock. */
interface Started {
  readonly atMs: number;
  readonly steadyMs: number;
}

/** What Helios' `/v1/metrics` answers, in its JSON. Breakers are one for each backend. */
export async function heliosMetrics(
  { fleet, clock }: ServiceContext,
  metrics: MetricsReading,
  pool: string,
  started: Started,
): Promise<HeliosMetrics> {
  const requests = await metrics.samples('usher_requests_total');
  const held = await metrics.samples('usher_rate_limit_requests_total');
  const attempts = await metrics.samples('usher_backend_requests_total');
  const seconds = await metrics.samples('usher_backend_attempt_seconds_total');
  const inFlight = await metrics.samples('usher_backend_in_flight');
  const backends = [...fleet.state.backends.values()].filter(({ settings }) => settings.pool === pool);
  const [total, failed] = [sumOf(requests, { pool }), sumOf(requests, { pool, code: '5xx' })];
  const routes = new Set(
    requests.filter(({ labels }) => labels['pool'] === pool).map(({ labels }) => labels['route']),
  );
  const limited = held.filter(({ labels }) => routes.has(labels['route']));
  const view = (backend: BackendState): HeliosBackendMetrics => {
    const id = { backend: backend.settings.id };
    const [all, failures] = [sumOf(attempts, id), sumOf(attempts, { ...id, outcome: 'failed' })];
    return {
      name: id.backend,
      total_requests: all,
      successful_requests: all - failures,
      failed_requests: failures,
      active_connections: sumOf(inFlight, id),
      average_response_time_ms: all === 0 ? 0 : (sumOf(seconds, id) * 1000) / all,
      is_healthy: eligibility(backend) === 'ok',
    };
  };
  return {
    total_requests: total,
    successful_requests: total - failed,
    failed_requests: failed,
    average_response_time_ms: (await durationsOf(metrics)).mean * 1000,
    backend_metrics: Object.fromEntries(backends.map((backend) => [backend.settings.id, view(backend)])),
    rate_limited_requests: sumOf(limited, { outcome: 'limited' }),
    circuit_breaker_metrics: Object.fromEntries(
      backends.map(({ settings: { id }, breaker }) => [id, { name: id, state: STATES[breaker] }]),
    ),
    start_time: new Date(started.atMs).toISOString(),
    uptime: uptime(clock.steady() - started.steadyMs),
  };
}

const STATES = { closed: 'CLOSED', open: 'OPEN', half_open: 'HALF-OPEN' } as const;

/** `1h2m3s`. */
function uptime(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${hours > 0 ? `${hours}h` : ''}${hours + minutes > 0 ? `${minutes}m` : ''}${seconds % 60}s`;
}
