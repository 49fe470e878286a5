import type { BackendSettings } from './settings.ts';

/**
 * When the state store changed a pool's reservations: `step` counts the changes since the pool's `run` began, which is told
 * in milliseconds since the epoch. What several gateways tell of one pool is put in order by it.
 */
export interface StoreStep {
  readonly run: number;
  readonly step: number;
}

/** Lifecycle region: what operators decided about a backend. */
export type Lifecycle = 'active' | 'draining' | 'drained' | 'disabled';
/** Health region. `unchecked`: the pool has no probes. `unknown`: no probe has answered yet. */
export type Health = 'unchecked' | 'unknown' | 'healthy' | 'unhealthy';
/** Breaker region, the fleet's view. */
export type Breaker = 'closed' | 'open' | 'half_open';
/** Allocation region: whether reservations still leave room. */
export type AllocationRoom = 'free' | 'full';

/** Amounts of a backend's resources; integers, so sums are exact. */
export interface Resources {
  readonly milliCpu: number;
  readonly memoryBytes: number;
  readonly storageBytes: number;
  readonly gpus: number;
  readonly gpuMemoryBytes: number;
}

/** A reservation of resources on a backend, owned by a gateway until it is released or expires. */
export interface Allocation {
  readonly id: string;
  readonly owner: string;
  readonly resources: Resources;
  /** Unless it was renewed since, which no event tells. */
  readonly expiresAtMs: number;
  /** Null while the state store does not know of it. */
  readonly at: StoreStep | null;
}

/** What an agent reported, averaged over its window. Percentages are 0..100. */
export interface BackendStats {
  readonly atMs: number;
  readonly coresPercent: readonly number[];
  readonly memoryUsedBytes: number;
  readonly memoryTotalBytes: number;
  readonly diskUsedBytes: number;
  readonly diskTotalBytes: number;
  readonly gpus: readonly GpuStats[];
}

export interface GpuStats {
  readonly percent: number;
  readonly memoryUsedBytes: number;
  readonly memoryTotalBytes: number;
  readonly temperatureC: number;
  readonly powerW: number;
}

/** The state of one backend: exactly what folding its events gives, on every machine. */
export interface BackendState {
  settings: BackendSettings;
  /**
   * Who declared it: a file's entries follow the file, a command's stay until a command removes them, an agent's until it
   * takes them back, and what was discovered follows where its pool's discovery found it.
   */
  origin: 'config' | 'command' | 'agent' | 'discovery';
  lifecycle: Lifecycle;
  drainDeadlineMs: number;
  /** The drain under way ends with the backend's removal. */
  removing: boolean;
  /** Gateways that have nothing in flight to it any more since the drain under way began. */
  emptiedBy: Set<string>;
  health: Health;
  healthCause: string;
  breaker: Breaker;
  /** When an open breaker lets trial requests through, and when a half-open one passes them on. */
  breakerUntilMs: number;
  /** How often the trials of the half-open breaker were passed on. */
  trialRound: number;
  /** How often the breaker opened without a closing in between. */
  breakerOpenings: number;
  /** Gateways whose own view is open, by the time until which it is. */
  trippedBy: Map<string, number>;
  /** Gateways that have ejected it, by the time until which they have. */
  ejectedBy: Map<string, number>;
  /** When each gateway last reported traffic to it: those are the ones whose vote on its breaker counts. */
  seenBy: Map<string, number>;
  room: AllocationRoom;
  allocations: Map<string, Allocation>;
  /** Sum over the allocations. */
  reserved: Resources;
  latencyMs: number;
  stats: BackendStats | null;
  stale: boolean;
  requests: number;
  failures: number;
  /** Position of the record that last changed settings or lifecycle; the revision that commands may require. */
  revision: number;
}

/** Why a backend gets no new requests; `ok` when it may. */
export type Eligibility =
  | 'ok'
  | 'draining'
  | 'drained'
  | 'disabled'
  | 'unhealthy'
  | 'unknown'
  | 'breaker_open'
  | 'full';

/** A backend is eligible when all its regions say so. The first region that does not names the reason. */
export function eligibility(
  backend: Pick<BackendState, 'lifecycle' | 'health' | 'breaker' | 'room'>,
): Eligibility {
  if (backend.lifecycle !== 'active') return backend.lifecycle;
  if (backend.health === 'unhealthy' || backend.health === 'unknown') return backend.health;
  if (backend.breaker === 'open') return 'breaker_open';
  if (backend.room === 'full') return 'full';
  return 'ok';
}

/** A sum of resources with one amount more, or less for `sign` -1. */
export function plusResources(sum: Resources, change: Resources, sign: 1 | -1): Resources {
  return {
    milliCpu: sum.milliCpu + sign * change.milliCpu,
    memoryBytes: sum.memoryBytes + sign * change.memoryBytes,
    storageBytes: sum.storageBytes + sign * change.storageBytes,
    gpus: sum.gpus + sign * change.gpus,
    gpuMemoryBytes: sum.gpuMemoryBytes + sign * change.gpuMemoryBytes,
  };
}

/** `full` once any dimension that the backend has is reserved up to its capacity; without a capacity always `free`. */
export function roomLeft(capacity: Resources | undefined, reserved: Resources): AllocationRoom {
  if (capacity === undefined) return 'free';
  for (const dimension of ['milliCpu', 'memoryBytes', 'storageBytes', 'gpus', 'gpuMemoryBytes'] as const) {
    if (capacity[dimension] > 0 && reserved[dimension] >= capacity[dimension]) return 'full';
  }
  return 'free';
}

/** A backend as it is right after its registration. */
export function newBackend(
  settings: BackendSettings,
  origin: BackendState['origin'],
  health: 'unchecked' | 'unknown',
  revision: number,
): BackendState {
  return {
    settings,
    origin,
    lifecycle: 'active',
    drainDeadlineMs: 0,
    removing: false,
    emptiedBy: new Set(),
    health,
    healthCause: 'registered',
    breaker: 'closed',
    breakerUntilMs: 0,
    trialRound: 0,
    breakerOpenings: 0,
    trippedBy: new Map(),
    ejectedBy: new Map(),
    seenBy: new Map(),
    room: 'free',
    allocations: new Map(),
    reserved: { milliCpu: 0, memoryBytes: 0, storageBytes: 0, gpus: 0, gpuMemoryBytes: 0 },
    latencyMs: 0,
    stats: null,
    stale: false,
    requests: 0,
    failures: 0,
    revision,
  };
}
