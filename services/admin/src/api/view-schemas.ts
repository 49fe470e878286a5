import type { Ballot } from '@usher/domain';
import { backendStats, poolSettings } from '@usher/events';
import { COUNT, FLAG, INSTANT, listOf, NUMBER, nullable, objectOf, oneOf, TEXT } from '@usher/runtime';
import type { BreakersView, BreakerView, StandingView } from '../breaker-views.ts';
import type { BackendView, DrainView, GatewayView, PoolSummary, PoolView } from '../views.ts';
import { joined, schemaOf } from './from-events.ts';

const ELIGIBILITY = oneOf([
  'ok',
  'draining',
  'drained',
  'disabled',
  'unhealthy',
  'unknown',
  'breaker_open',
  'full',
]);
const PHASE = oneOf(['closed', 'open', 'half_open']);
const PLACE = objectOf<NonNullable<BackendView['place']>>({ latitude: NUMBER, longitude: NUMBER });
const EJECTIONS = listOf(objectOf<BackendView['ejectedBy'][number]>({ gateway: TEXT, until: INSTANT }));

const DRAIN_MEMBERS = {
  deadline: INSTANT,
  removing: FLAG,
  gateways: listOf(
    objectOf<DrainView['gateways'][number]>({ gateway: TEXT, done: FLAG, inFlight: nullable(COUNT) }),
  ),
} as const;
const DRAIN = objectOf<DrainView>(DRAIN_MEMBERS, 'Drain');
/** A drain with whose it is. */
export const NAMED_DRAIN = objectOf<DrainView & { readonly backend: string }>({
  backend: TEXT,
  ...DRAIN_MEMBERS,
});

export const BACKEND = objectOf<BackendView>(
  {
    id: TEXT,
    pool: TEXT,
    url: TEXT,
    endpoints: listOf(objectOf<BackendView['endpoints'][number]>({ path: TEXT, url: TEXT })),
    weight: NUMBER,
    zone: nullable(TEXT),
    place: nullable(PLACE),
    origin: oneOf(['config', 'command', 'agent']),
    eligibility: ELIGIBILITY,
    lifecycle: oneOf(['active', 'draining', 'drained', 'disabled']),
    drainDeadline: nullable(INSTANT),
    health: oneOf(['unchecked', 'unknown', 'healthy', 'unhealthy']),
    healthCause: TEXT,
    breaker: PHASE,
    breakerUntil: nullable(INSTANT),
    trippedBy: listOf(TEXT),
    ejectedBy: EJECTIONS,
    drain: nullable(DRAIN),
    room: oneOf(['free', 'full']),
    allocations: listOf(
      objectOf<BackendView['allocations'][number]>({ id: TEXT, owner: TEXT, expiresAt: INSTANT }),
    ),
    latencyMs: NUMBER,
    stats: nullable(schemaOf(backendStats, 'BackendStats')),
    stale: FLAG,
    requests: COUNT,
    failures: COUNT,
    revision: COUNT,
  },
  'Backend',
);

export const POOL = joined(
  schemaOf(poolSettings),
  objectOf<Pick<PoolView, 'origin' | 'revision' | 'backends'>>({
    origin: oneOf(['config', 'command']),
    revision: COUNT,
    backends: listOf(objectOf<PoolView['backends'][number]>({ id: TEXT, eligibility: ELIGIBILITY })),
  }),
  'Pool',
);

export const POOL_SUMMARY = objectOf<PoolSummary>(
  {
    id: TEXT,
    strategy: TEXT,
    backends: COUNT,
    eligible: COUNT,
    panicBy: listOf(objectOf<PoolSummary['panicBy'][number]>({ gateway: TEXT, since: INSTANT })),
  },
  'PoolSummary',
);

export const GATEWAY = objectOf<GatewayView>(
  {
    id: TEXT,
    version: TEXT,
    startedAt: INSTANT,
    running: FLAG,
    requests: COUNT,
    errors: COUNT,
    suspect: nullable(
      objectOf<NonNullable<GatewayView['suspect']>>({ since: INSTANT, tripped: COUNT, used: COUNT }),
    ),
  },
  'Gateway',
);

const BREAKER = objectOf<BreakerView>(
  {
    backend: TEXT,
    pool: TEXT,
    enabled: FLAG,
    phase: PHASE,
    until: nullable(INSTANT),
    openings: COUNT,
    votes: objectOf<Ballot>({
      for: listOf(TEXT),
      against: listOf(TEXT),
      uncounted: listOf(
        objectOf<Ballot['uncounted'][number]>({
          gateway: TEXT,
          why: oneOf(['failing', 'suspect', 'silent']),
        }),
      ),
    }),
    ejectedBy: EJECTIONS,
  },
  'Breaker',
);

const STANDING = objectOf<StandingView>(
  {
    gateway: TEXT,
    used: COUNT,
    tripped: COUNT,
    trust: oneOf(['trusted', 'failing', 'suspect']),
    suspectSince: nullable(INSTANT),
  },
  'Standing',
);

export const BREAKERS = objectOf<BreakersView & { readonly position: number }>({
  position: COUNT,
  breakers: listOf(BREAKER),
  gateways: listOf(STANDING),
});
