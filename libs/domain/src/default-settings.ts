import { DEFAULT_SCORING } from './resource/score.ts';
import { type PoolSettings, RESERVE_IDLE_MS, type RouteSettings } from './settings.ts';

/** A pool of which a file says nothing but its id. */
export function defaultPool(id: string): PoolSettings {
  return {
    id,
    strategy: 'p2c',
    hash: { by: 'ip' },
    slowStartMs: 0,
    health: { type: 'tcp', intervalMs: 5000, downIntervalMs: 15_000, timeoutMs: 2000, fall: 3, rise: 2 },
    breaker: {
      enabled: true,
      failures: 5,
      windowMs: 10_000,
      openForMs: 30_000,
      halfOpenRequests: 3,
      successes: 2,
    },
    passive: {
      enabled: true,
      consecutive: 5,
      failureRate: 0.5,
      windowMs: 10_000,
      requestsMin: 20,
      ejectForMs: 30_000,
      maxEjected: 0.5,
    },
    panic: 0.5,
    failOpen: true,
    retry: { attempts: 1, budgetRatio: 0.2 },
    tls: { verify: true },
    queue: { max: 1000, timeoutMs: 5000 },
    proxyProtocol: 'none',
    http2: false,
    drainMs: 30_000,
    agents: false,
    tiers: [],
    reserve: 'none',
    reserveIdleMs: RESERVE_IDLE_MS,
    reserveWithoutStore: 'local_share',
    scoring: DEFAULT_SCORING,
  };
}

/** A route of which a file says no more than this. */
export function defaultRoute(id: string, path: string, pool: string | undefined): RouteSettings {
  return { id, path, pool, plugins: [], websocket: true, priority: 'normal' };
}
