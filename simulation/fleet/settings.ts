import { NO_RESOURCES, type PoolSettings, type SharedSettings, type StrategyName } from '@usher/domain';
import { urlOf } from '../parts/backends.ts';
import type { Chance } from '../world/chance.ts';

/** What a backend of the pool `infer` has for reservations. */
const CAPACITY_MILLI_CPU = 3_000;
const TIERS = [
  { name: 'small', resources: { ...NO_RESOURCES, milliCpu: 1_000 } },
  { name: 'large', resources: { ...NO_RESOURCES, milliCpu: 2_500 } },
] as const;

/** Strategies that need nothing of a request but its key. */
const STRATEGIES: readonly StrategyName[] = [
  'p2c',
  'round_robin',
  'weighted_round_robin',
  'least_connections',
  'random',
  'ip_hash',
  'peak_ewma',
];

/** How this run's fleet is set up. */
export interface FleetSettings {
  readonly web: readonly string[];
  readonly infer: readonly string[];
  readonly withoutStore: 'closed' | 'local_share' | 'open';
  /** Versions of the file, the first one in force at the start. */
  readonly files: readonly SharedSettings[];
}

export function drawSettings(chance: Chance): FleetSettings {
  const web = ids(1, 2 + chance.below(4));
  const infer = ids(11, 1 + chance.below(3));
  const withoutStore = chance.pick(['closed', 'closed', 'local_share', 'open'] as const);
  const strategy = chance.pick(STRATEGIES);
  const outliers = drawOutliers(chance.fork('outliers'));
  const parts = { web, infer, withoutStore, strategy, weight: 1, outliers };
  const first = fileOf(parts);
  // One without its last backend, and one with another rule.
  const fewer = fileOf({ ...parts, web: web.slice(0, -1) });
  const other = fileOf({ ...parts, strategy: chance.pick(STRATEGIES), weight: 3 });
  return { web, infer, withoutStore, files: [first, fewer, other] };
}

/** What each backend has for reservations. */
export function capacities({ infer }: FleetSettings): Map<string, number> {
  return new Map(infer.map((id) => [id, CAPACITY_MILLI_CPU]));
}

function ids(first: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `b${first + index}`);
}

/** Whom a pool leaves out by how it serves, and when it trusts nobody's word any more. */
function drawOutliers(chance: Chance): Outliers {
  const passive = {
    enabled: true,
    consecutive: 2 + chance.below(3),
    failureRate: 0.5,
    windowMs: 5_000,
    requestsMin: 5,
    ejectForMs: Math.round(chance.between(1_000, 4_000)),
    maxEjected: chance.pick([0.34, 0.5]),
  };
  return {
    ...(chance.happens(0.6) ? { passive } : {}),
    panic: chance.pick([0, 0.5, 0.5, 0.8]),
    failOpen: chance.happens(0.7),
  };
}

type Outliers = Pick<PoolSettings, 'passive' | 'panic' | 'failOpen'>;

interface FileParts extends Omit<FleetSettings, 'files'> {
  readonly strategy: StrategyName;
  readonly weight: number;
  readonly outliers: Outliers;
}

function fileOf({ web, infer, withoutStore, strategy, weight, outliers }: FileParts): SharedSettings {
  const capacity = { ...NO_RESOURCES, milliCpu: CAPACITY_MILLI_CPU };
  return {
    pools: [
      poolOf('web', { strategy, ...outliers }),
      poolOf('infer', {
        strategy: 'p2c',
        agents: true,
        ...outliers,
        tiers: TIERS,
        reserve: 'request',
        reserveWithoutStore: withoutStore,
        queue: { max: 3, timeoutMs: 400 },
      }),
    ],
    backends: [
      ...web.map((id) => ({ id, pool: 'web', url: urlOf(id), weight })),
      ...infer.map((id) => ({ id, pool: 'infer', url: urlOf(id), weight: 1, capacity })),
    ],
    routes: [
      { id: 'infer', path: '/infer/*', pool: 'infer', plugins: [], websocket: false },
      { id: 'web', path: '/*', pool: 'web', plugins: [], websocket: false },
    ],
    ...POLICY,
  };
}

function poolOf(id: string, changes: Partial<PoolSettings>): PoolSettings {
  return {
    id,
    strategy: 'p2c',
    health: { type: 'tcp', intervalMs: 1_000, timeoutMs: 400, fall: 2, rise: 2 },
    breaker: {
      enabled: true,
      failures: 3,
      windowMs: 5_000,
      openForMs: 4_000,
      halfOpenRequests: 3,
      successes: 2,
    },
    retry: { attempts: 1, budgetRatio: 0.2 },
    proxyProtocol: 'none',
    http2: false,
    drainMs: 6_000,
    agents: false,
    ...changes,
  };
}

const POLICY = {
  timeouts: {
    requestHeaderMs: 1_000,
    connectMs: 500,
    responseMs: 2_000,
    bodyIdleMs: 1_000,
    idleMs: 1_000,
    backendIdleMs: 1_000,
    requestMs: 0,
    upgradeIdleMs: 1_000,
    shutdownMs: 2_000,
  },
  limits: {
    requestBodyBytes: 0,
    bodyRateBytesPerS: 0,
    headerBytes: 1_000,
    headerCount: 10,
    connections: 1_000,
    connectionsPerIp: 0,
    requestsPerConnection: 0,
    upgrades: 1,
  },
  trustedProxies: [],
};
