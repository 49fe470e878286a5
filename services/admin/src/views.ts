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
}

export interface GatewayView extends Omit<GatewayState, 'startedAtMs'> {
  readonly id: string;
  readonly startedAt: string;
}

export function backendView(backend: BackendState): BackendView {
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

export function poolSummary(state: FleetState, { settings }: PoolState): PoolSummary {
  const backends = backendsOf(state, settings.id);
  const eligible = backends.filter((backend) => eligibility(backend) === 'ok').length;
  return { id: settings.id, strategy: settings.strategy, backends: backends.length, eligible };
}

export function gatewayView(id: string, { startedAtMs, ...rest }: GatewayState): GatewayView {
  return { id, startedAt: instant(startedAtMs), ...rest };
}

export function backendsOf(state: FleetState, pool: string): BackendState[] {
  return [...state.backends.values()].filter(({ settings }) => settings.pool === pool);
}

/** RFC 3339 in UTC. */
export function instant(ms: number): string {
  return new Date(ms).toISOString();
}
