import { EJECTION_CAUSES, REFUSAL_CAUSES, STICKY_MOVE_REASONS } from '@usher/domain';
import { z } from 'zod';
import {
  backendSettings,
  backendStats,
  cause,
  count,
  id,
  instant,
  limitSettings,
  policySettings,
  resources,
  routeSettings,
} from './data-schemas.ts';
import type { Writer } from './envelope.ts';
import { poolSettings } from './pool-schema.ts';

export interface CatalogueEntry {
  /** The version that is written now; older ones are lifted by `upcasters`, newer ones are quarantined. */
  readonly version: number;
  readonly writer: Writer;
  /** `decision`: appended on condition of its aggregate's position. `fact`: sent through the outbox. */
  readonly kind: 'decision' | 'fact';
  readonly schema: z.ZodType;
  /** `upcasters[n]` turns data of version n into data of version n + 1. */
  readonly upcasters?: Readonly<Record<number, (data: unknown) => unknown>>;
}

const decision = <S extends z.ZodType>(writer: Writer, schema: S) =>
  ({ version: 1, writer, kind: 'decision', schema }) as const;
const fact = <S extends z.ZodType>(writer: Writer, schema: S) =>
  ({ version: 1, writer, kind: 'fact', schema }) as const;

/** A fact whose data got members in version 2 that may be absent. */
const fact2 = <S extends z.ZodType>(writer: Writer, schema: S) =>
  ({ version: 2, writer, kind: 'fact', schema, upcasters: { 1: (data: unknown) => data } }) as const;

const backend = { backend: id };
/**
 * When the state store did it, which is the order in which it happened: gateways tell when they can. Absent when it was
 * done without the store, or its answer was lost.
 */
const at = { at: z.strictObject({ pool: id, run: count, step: count }).optional() };
/** A file declares from now on what a command had made. */
const adopted = { origin: z.literal('config').optional() };

/** Every event type there is. A reader sets aside whatever is not in here. */
export const CATALOGUE = {
  'config.applied': decision(
    'scheduler',
    // `added`: which of the routes commands had added; absent in what was written before they could. No `origin`: a file.
    z.strictObject({
      revision: count,
      hash: z.string(),
      policy: policySettings,
      added: z.array(id).optional(),
      origin: z.literal('command').optional(),
    }),
  ),
  'route.added': decision('scheduler', z.strictObject({ settings: routeSettings })),
  'route.updated': decision('scheduler', z.strictObject({ settings: routeSettings })),
  'route.removed': decision('scheduler', z.strictObject({ route: id })),
  'limits.updated': decision('scheduler', z.strictObject({ limits: limitSettings })),
  'pool.added': decision(
    'scheduler',
    z.strictObject({ settings: poolSettings, origin: z.enum(['config', 'command']) }),
  ),
  'pool.updated': decision('scheduler', z.strictObject({ settings: poolSettings, ...adopted })),
  'pool.removed': decision('scheduler', z.strictObject({ pool: id })),
  'backend.registered': decision(
    'scheduler',
    z.strictObject({
      settings: backendSettings,
      origin: z.enum(['config', 'command', 'agent', 'discovery']),
      health: z.enum(['unchecked', 'unknown']),
    }),
  ),
  /** `health` is present when the change makes what probes found void: another address, or probing switched on or off. */
  'backend.updated': decision(
    'scheduler',
    z.strictObject({
      settings: backendSettings,
      health: z.enum(['unchecked', 'unknown']).optional(),
      ...adopted,
    }),
  ),
  'backend.drain_started': decision(
    'scheduler',
    z.strictObject({ ...backend, deadlineMs: instant, remove: z.boolean() }),
  ),
  'backend.drained': decision(
    'scheduler',
    z.strictObject({ ...backend, cause: z.enum(['empty', 'deadline']) }),
  ),
  'backend.disabled': decision('scheduler', z.strictObject(backend)),
  'backend.enabled': decision('scheduler', z.strictObject(backend)),
  'backend.removed': decision('scheduler', z.strictObject(backend)),
  'breaker.opened': decision(
    'scheduler',
    z.strictObject({ ...backend, untilMs: instant, votes: z.array(id) }),
  ),
  /**
   * `untilMs`: when its trials are passed on if there is no verdict; `round`: how often they were. Absent in what was written
   * before they existed.
   */
  'breaker.half_opened': decision(
    'scheduler',
    z.strictObject({ ...backend, untilMs: instant.optional(), round: count.optional() }),
  ),
  /** `reset`: an operator wanted it, and gateways close their own as well. */
  'breaker.closed': decision('scheduler', z.strictObject({ ...backend, reset: z.literal(true).optional() })),
  /** Ends the events of each command, also of one that changed nothing. `fingerprint` tells it from another of its id. */
  'command.accepted': decision(
    'scheduler',
    z.strictObject({ command: z.string(), name: z.string(), fingerprint: z.string() }),
  ),
  'scheduler.elected': decision('scheduler', z.strictObject({ scheduler: id, term: count })),
  'gateway.lost': decision('scheduler', z.strictObject({ gateway: id, cause })),
  /** `tripped` of the `used` backends fail for this gateway, and not for others: its votes do not count. */
  'gateway.suspected': decision('scheduler', z.strictObject({ gateway: id, tripped: count, used: count })),
  'gateway.cleared': decision('scheduler', z.strictObject({ gateway: id })),
  'checkpoint.written': fact('scheduler', z.strictObject({ position: count, digest: z.string() })),
  'backend.became_healthy': decision('health', z.strictObject({ ...backend, cause })),
  'backend.became_unhealthy': decision('health', z.strictObject({ ...backend, cause })),
  /** A backend whose breaker is open answers its probes; written once for each opening. */
  'backend.probes_passed': fact('health', z.strictObject(backend)),
  'backend.latency_measured': fact(
    'health',
    z.strictObject({ ...backend, latencyMs: z.number().nonnegative() }),
  ),
  'backend.stats_reported': fact('collector', z.strictObject({ ...backend, stats: backendStats })),
  'backend.went_stale': fact('collector', z.strictObject({ ...backend, lastReportMs: instant })),
  'backend.came_back': fact('collector', z.strictObject(backend)),
  'process.degraded': fact(
    'process',
    z.strictObject({ process: id, part: z.string().max(63), sinceMs: instant, cause }),
  ),
  'process.recovered': fact(
    'process',
    z.strictObject({ process: id, part: z.string().max(63), sinceMs: instant }),
  ),
  'gateway.started': fact('gateway', z.strictObject({ gateway: id, version: z.string(), workers: count })),
  'gateway.stopped': fact('gateway', z.strictObject({ gateway: id })),
  /** What a gateway saw since its last such event; counts are of finished attempts, failures are the backend's fault. */
  'gateway.observed': fact(
    'gateway',
    z.strictObject({
      gateway: id,
      windowMs: count,
      requests: count,
      errors: count,
      backends: z.array(
        z.strictObject({
          ...backend,
          requests: count,
          failures: count,
          latencySumMs: z.number().nonnegative(),
        }),
      ),
    }),
  ),
  /** What the gateway answers with 503 from now on, so that it can serve the rest. */
  'gateway.shedding_changed': fact(
    'gateway',
    z.strictObject({
      gateway: id,
      shed: z.enum(['nothing', 'sheddable', 'all_but_critical']),
      cause: z.enum(['memory', 'event_loop', 'over']),
    }),
  ),
  /** The state store is away from the gateway, so it allows its part of the rate limits by itself; and that is over. */
  'gateway.rate_limits_split': fact('gateway', z.strictObject({ gateway: id })),
  'gateway.rate_limits_joined': fact('gateway', z.strictObject({ gateway: id })),
  /**
   * The gateway has nothing in flight any more to a backend that is draining; sent once for each drain. `revision`: that of the
   * backend, so that one that comes late counts for no later drain. Absent in what was written before it existed.
   */
  'backend.emptied': fact('gateway', z.strictObject({ ...backend, gateway: id, revision: count.optional() })),
  'breaker.tripped': fact(
    'gateway',
    z.strictObject({ ...backend, gateway: id, failures: count, requests: count, untilMs: instant }),
  ),
  'breaker.recovered': fact('gateway', z.strictObject({ ...backend, gateway: id })),
  /** `times`: what the time of an ejection was multiplied by. */
  'backend.ejected': fact(
    'gateway',
    z.strictObject({
      ...backend,
      gateway: id,
      cause: z.enum(EJECTION_CAUSES),
      failures: count,
      requests: count,
      untilMs: instant,
      times: count,
    }),
  ),
  'backend.readmitted': fact('gateway', z.strictObject({ ...backend, gateway: id })),
  'pool.panicked': fact(
    'gateway',
    z.strictObject({ pool: id, gateway: id, eligible: count, backends: count }),
  ),
  'pool.calmed': fact('gateway', z.strictObject({ pool: id, gateway: id })),
  /**
   * A gateway sends the requests of some sessions elsewhere from now on; summed over a moment. `count` is of all of them,
   * `sessions` names the first.
   */
  /** Sessions begin anew: all of the pool, or one. */
  'sticky.cleared': decision(
    'scheduler',
    z.strictObject({ pool: id, session: z.string().min(1).max(128).optional() }),
  ),
  'sticky.moved': fact(
    'gateway',
    z.strictObject({
      gateway: id,
      pool: id,
      from: id,
      reason: z.enum(STICKY_MOVE_REASONS),
      count,
      sessions: z.array(z.strictObject({ session: z.string().max(128), to: id })).max(100),
    }),
  ),
  /**
   * Told anew when another gateway becomes the owner, or the store is told what it had lost (`restored`). `capacity`: what
   * reservations were allowed to fill of the backend.
   */
  /** Gateways give back what they hold: of the pool, or of a backend, or for a session of it. */
  'allocations.purged': decision(
    'scheduler',
    z.strictObject({ pool: id, ofBackend: id.optional(), session: z.string().min(1).max(128).optional() }),
  ),
  'allocation.reserved': fact2(
    'gateway',
    z.strictObject({
      ...backend,
      allocation: id,
      owner: id,
      resources,
      expiresAtMs: instant,
      tier: id.optional(),
      capacity: resources.optional(),
      restored: z.literal(true).optional(),
      ...at,
    }),
  ),
  'allocation.released': fact2('gateway', z.strictObject({ ...backend, allocation: id, cause, ...at })),
  'allocation.expired': fact2('gateway', z.strictObject({ ...backend, allocation: id, ...at })),
  /** What the admin API of a process refused, summed over a while: `count` is of all of it, `refusals` has the first kinds. */
  'admin.refused': fact(
    'admin',
    z.strictObject({
      instance: id,
      windowMs: count,
      count,
      refusals: z
        .array(
          z.strictObject({
            cause: z.enum(REFUSAL_CAUSES),
            address: z.string().max(64),
            who: z.string().max(200).optional(),
            count,
          }),
        )
        .max(20),
    }),
  ),
} as const satisfies Record<string, CatalogueEntry>;

export type EventType = keyof typeof CATALOGUE;
export type EventData<T extends EventType> = z.infer<(typeof CATALOGUE)[T]['schema']>;
