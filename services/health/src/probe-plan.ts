import {
  type BackendTlsSettings,
  type FleetState,
  type HealthCheck,
  type PoolSettings,
  type ProbeMethod,
  type ProbeTiming,
  parseBackendUrl,
  type TargetSettings,
} from '@usher/domain';
import type { GrpcCheck } from './grpc-health.ts';
import type { ExpectedAnswer } from './probe-answer.ts';

type Probed = Exclude<HealthCheck, { type: 'none' }>;

interface Place {
  readonly host: string;
  readonly port: number;
  /** Of a backend that an agent declared: its host must not lead elsewhere. Absent = it may lead anywhere. */
  readonly guard?: { readonly targets: TargetSettings | undefined };
  /** The connection begins with a header of the PROXY protocol; absent = it does not. */
  readonly proxyProtocol?: 'v1' | 'v2';
}

/** For `https` URLs. */
interface Secured {
  /** Absent = plain. */
  readonly tls?: BackendTlsSettings;
}

/** What to ask, and where. */
export type ProbeTarget =
  | (Place & { readonly type: 'tcp' })
  | (Place &
      Secured &
      ExpectedAnswer & {
        readonly type: 'http';
        /** Value of the Host header. */
        readonly authority: string;
        readonly path: string;
        readonly method: ProbeMethod;
        /** Names in lower case. */
        readonly headers: Readonly<Record<string, string>>;
        /** Absent = HTTP/1.1. */
        readonly http2?: true;
      })
  | (Place & Secured & { readonly type: 'grpc' } & GrpcCheck);

export interface ProbePlan {
  readonly backend: string;
  readonly pool: string;
  /** Its endpoints, each once; it is healthy when all of them are. */
  readonly targets: readonly [ProbeTarget, ...ProbeTarget[]];
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
  const { health } = pool.settings;
  if (health.type === 'none') return undefined;
  const { url, endpoints = [] } = backend.settings;
  const guard =
    backend.origin === 'agent' || backend.origin === 'command'
      ? { guard: { targets: pool.settings.targets } }
      : {};
  const probed = (each: string) => targetAt(each, health, pool.settings, guard);
  const target = probed(url);
  if (target === undefined) return undefined;
  const { intervalMs, downIntervalMs, timeoutMs, fall, rise } = health;
  const others = new Set(endpoints.map((endpoint) => endpoint.url));
  others.delete(url);
  const elsewhere = [...others].flatMap((each) => probed(each) ?? []);
  const timing = { intervalMs, downIntervalMs, timeoutMs, fall, rise };
  return { backend: id, pool: pool.settings.id, targets: [target, ...elsewhere], timing };
}

/** Undefined for a URL that this version cannot read. */
function targetAt(
  url: string,
  health: Probed,
  { proxyProtocol, http2, tls = { verify: true } }: Pick<PoolSettings, 'proxyProtocol' | 'http2' | 'tls'>,
  guard: Pick<Place, 'guard'>,
): ProbeTarget | undefined {
  const origin = parseBackendUrl(url);
  if (typeof origin === 'string') return undefined;
  const { host, port, authority } = origin;
  const place: Place = { host, port, ...guard, ...(proxyProtocol === 'none' ? {} : { proxyProtocol }) };
  const target = targetOf(health, place, { authority, ...(origin.tls ? { tls } : {}) });
  return target.type === 'http' && http2 ? { ...target, http2 } : target;
}

function targetOf(health: Probed, place: Place, server: Secured & { authority: string }): ProbeTarget {
  const { type } = health;
  // That connections are accepted is all that it asks, whatever is spoken over them.
  if (type === 'tcp') return { type, ...place };
  if (type === 'grpc') return { type, ...place, ...server, service: health.service };
  const { path, expectStatus, expectBody, method = 'GET', headers = {} } = health;
  const expected = expectBody === undefined ? { expectStatus } : { expectStatus, expectBody };
  return { type, ...place, ...server, path, method, headers, ...expected };
}

/** Plans are compared by value: a pool that is written again unchanged disturbs no probe. */
export function samePlan(one: ProbePlan, other: ProbePlan): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
