import { type FleetState, type HealthCheck, type ProbeTiming, parseBackendUrl } from '@usher/domain';
import type { GrpcCheck } from './grpc-health.ts';

type Probed = Exclude<HealthCheck, { type: 'none' }>;

interface Place {
  readonly host: string;
  readonly port: number;
  /** The connection begins with a header of the PROXY protocol; absent = it does not. */
  readonly proxyProtocol?: 'v1' | 'v2';
}

/** What to ask, and where. */
export type ProbeTarget =
  | (Place & { readonly type: 'tcp' })
  | (Place & {
      readonly type: 'http';
      /** Value of the Host header. */
      readonly authority: string;
      readonly path: string;
      readonly expectStatus: readonly number[];
    })
  | (Place & { readonly type: 'grpc' } & GrpcCheck);

export interface ProbePlan {
  readonly backend: string;
  readonly pool: string;
  readonly target: ProbeTarget;
  readonly timing: ProbeTiming;
}

/**
 * How a backend is to be probed now; undefined when it is not: gone, or its pool has no probes. Draining and disabled
 * backends are probed too: what is still there is watched, and enabling one must not begin with a guess.
 */
export function probePlan(state: FleetState, id: string): ProbePlan | undefined {
  const backend = state.backends.get(id);
  const pool = state.pools.get(backend?.settings.pool ?? '');
  if (backend === undefined || pool === undefined) return undefined;
  const { health, proxyProtocol } = pool.settings;
  const origin = parseBackendUrl(backend.settings.url);
  if (health.type === 'none' || typeof origin === 'string') return undefined;
  const { host, port, authority } = origin;
  const { intervalMs, timeoutMs, fall, rise } = health;
  const place: Place = proxyProtocol === 'none' ? { host, port } : { host, port, proxyProtocol };
  const target = targetOf(health, place, authority);
  return { backend: id, pool: pool.settings.id, target, timing: { intervalMs, timeoutMs, fall, rise } };
}

function targetOf(health: Probed, place: Place, authority: string): ProbeTarget {
  const { type } = health;
  if (type === 'tcp') return { type, ...place };
  if (type === 'grpc') return { type, ...place, authority, service: health.service };
  return { type, ...place, authority, path: health.path, expectStatus: health.expectStatus };
}

/** Plans are compared by value: a pool that is written again unchanged disturbs no probe. */
export function samePlan(one: ProbePlan, other: ProbePlan): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
