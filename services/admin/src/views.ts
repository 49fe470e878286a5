import {
  type BackendState,
  type Eligibility,
  type EndpointSettings,
  eligibility,
  type FleetState,
  type GatewayState,
  type PoolSettings,
  type PoolState,
} from '@usher/domain';

/** The fold's state as plain JSON: maps become lists, instants become RFC 3339, what follows from the state is added. */

export interface BackendView {
  readonly id: string;
  readonly pool: string;
  readonly url: string;
  /** Where it listens for some paths; `url` is for all others. */
  readonly endpoints: readonly EndpointSettings[];
  readonly weight: number;
  readonly zone: string | null;
  readonly place: { readonly latitude: number; readonly longitude: number } | null;
  readonly origin: BackendState['origin'];
  /** `ok`, or why it gets no new requests. */
  readonly eligibility: Eligibility;
  readonly lifecycle: BackendState['lifecycle'];
  /** When the drain under way ends at the latest. */
  readonly drainDeadline: string | null;
  readonly health: BackendState['health'];
  readonly healthCause: string;
  readonly breaker: BackendState['breaker'];
  /** When the open breaker lets trial requests through. */
  readonly breakerUntil: string | null;
  /** Gateways whose own view of the breaker is open. */
  readonly trippedBy: readonly string[];
  /** Gateways that have ejected it for how it serves their clients, and until when. */
  readonly ejectedBy: readonly { readonly gateway: string; readonly until: string }[];
  /** How far its drain is; null when it does not drain. */
  readonly drain: DrainView | null;
  readonly room: BackendState['room'];
  readonly allocations: readonly AllocationView[];
  readonly latencyMs: number;
  readonly stats: BackendState['stats'];
  readonly stale: boolean;
  readonly requests: number;
  readonly failures: number;
  /** What a command may require as the revision it is based on. */
  readonly revision: number;
}

/** How far a drain is. */
export interface DrainView {
  /** When it ends at the latest. */
  readonly deadline: string;
  /** It is removed then. */
  readonly removing: boolean;
  readonly gateways: readonly {
    readonly gateway: string;
    /** It has said that nothing is left. */
    readonly done: boolean;
    /** Requests under way; null = it has not said lately. */
    readonly inFlight: number | null;
  }[];
}

interface AllocationView {
  readonly id: string;
  readonly owner: string;
  readonly expiresAt: string;
}

export interface PoolView extends PoolSettings {
  readonly origin: PoolState['origin'];
  readonly revision: number;
  readonly backends: readonly { readonly id: string; readonly eligibility: Eligibility }[];
}

/** A pool in one line. */
export interface PoolSummary {
  readonly id: string;
  readonly strategy: string;
  readonly backends: number;
  readonly eligible: number;
  /** Gateways in which so few are eligible that requests go to all, and since when. */
  readonly panicBy: readonly { readonly gateway: string; readonly since: string }[];
}

export interface GatewayView extends Omit<GatewayState, 'startedAtMs' | 'suspect'> {
  readonly id: string;
  readonly startedAt: string;
  /** It fails where others do not, so that its votes on breakers do not count; null when it does not. */
  readonly suspect: { readonly since: string; readonly tripped: number; readonly used: number } | null;
}

export function backendView(backend: BackendState, drain: DrainView | null): BackendView {
  const { settings, allocations, drainDeadlineMs, breakerUntilMs } = backend;
  return {
    id: settings.id,
    pool: settings.pool,
    url: settings.url,
    endpoints: settings.endpoints ?? [],
    weight: settings.weight,
    zone: settings.zone ?? null,
    place: settings.place ?? null,
    origin: backend.origin,
    eligibility: eligibility(backend),
    lifecycle: backend.lifecycle,
    drainDeadline: backend.lifecycle === 'draining' ? instant(drainDeadlineMs) : null,
    health: backend.health,
    healthCause: backend.healthCause,
    breaker: backend.breaker,
    breakerUntil: backend.breaker === 'open' ? instant(breakerUntilMs) : null,
    trippedBy: [...backend.trippedBy.keys()],
    ejectedBy: ejectionsOf(backend),
    drain,
    room: backend.room,
    allocations: [...allocations.values()].map(({ id, owner, expiresAtMs }) => ({
      id,
      owner,
      expiresAt: instant(expiresAtMs),
    })),
    latencyMs: backend.latencyMs,
    stats: backend.stats,
    stale: backend.stale,
    requests: backend.requests,
    failures: backend.failures,
    revision: backend.revision,
  };
}

export function poolView(state: FleetState, pool: PoolState): PoolView {
  const { settings, origin, revision } = pool;
  const backends = backendsOf(state, settings.id).map((backend) => ({
    id: backend.settings.id,
    eligibility: eligibility(backend),
  }));
  return { ...settings, origin, revision, backends };
}

export function poolSummary(state: FleetState, { settings, panicBy }: PoolState): PoolSummary {
  const backends = backendsOf(state, settings.id);
  const eligible = backends.filter((backend) => eligibility(backend) === 'ok').length;
  return {
    id: settings.id,
    strategy: settings.strategy,
    backends: backends.length,
    eligible,
    panicBy: Array.from(panicBy, ([gateway, sinceMs]) => ({ gateway, since: instant(sinceMs) })),
  };
}

export function gatewayView(id: string, { startedAtMs, suspect, ...rest }: GatewayState): GatewayView {
  const { sinceMs, ...fails } = suspect ?? { sinceMs: 0, tripped: 0, used: 0 };
  return {
    id,
    startedAt: instant(startedAtMs),
    ...rest,
    suspect: suspect === null ? null : { since: instant(sinceMs), ...fails },
  };
}

/** Gateways that have ejected a backend, and until when. */
export function ejectionsOf({ ejectedBy }: BackendState): BackendView['ejectedBy'] {
  return Array.from(ejectedBy, ([gateway, untilMs]) => ({ gateway, until: instant(untilMs) }));
}

export function backendsOf(state: FleetState, pool: string): BackendState[] {
  return [...state.backends.values()].filter(({ settings }) => settings.pool === pool);
}

/** RFC 3339 in UTC. */
export function instant(ms: number): string {
  return new Date(ms).toISOString();
}
