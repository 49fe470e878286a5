import {
  type Features,
  NO_FEATURES,
  type PolicySettings,
  type PoolSettings,
  type RouteSettings,
} from '@usher/domain';
import type { BackendRow } from '../routing-table.ts';
import { newLimitCells } from '../table/backend-limit.ts';
import type { RowLimit } from '../table/row-limit.ts';
import { newLineCells } from '../table/waiting-line.ts';

/** Settings for tests: every default filled in, the parts that matter given. */

export function policy(changes: Partial<PolicySettings> = {}): PolicySettings {
  return {
    routes: [route({ id: 'all', path: '/*', pool: 'web' })],
    timeouts: {
      requestHeaderMs: 10_000,
      connectMs: 3_000,
      responseMs: 30_000,
      bodyIdleMs: 60_000,
      idleMs: 75_000,
      backendIdleMs: 4_000,
      requestMs: 0,
      upgradeIdleMs: 3_600_000,
      shutdownMs: 5_000,
    },
    limits: {
      requestBodyBytes: 10 * 2 ** 20,
      bodyRateBytesPerS: 0,
      headerBytes: 60 * 2 ** 10,
      headerCount: 100,
      connections: 1_000,
      connectionsPerIp: 0,
      requestsPerConnection: 0,
      upgrades: 100,
    },
    trustedProxies: [],
    ...changes,
  };
}

export function route(
  settings: Pick<RouteSettings, 'id' | 'path' | 'pool'> & Partial<RouteSettings>,
): RouteSettings {
  return { plugins: [], websocket: true, ...settings };
}

export function pool(changes: Partial<PoolSettings> = {}): PoolSettings {
  return {
    id: 'web',
    strategy: 'round_robin',
    health: { type: 'none' },
    breaker: {
      enabled: true,
      failures: 3,
      windowMs: 10_000,
      openForMs: 30_000,
      halfOpenRequests: 2,
      successes: 2,
    },
    retry: { attempts: 1, budgetRatio: 0.2 },
    proxyProtocol: 'none',
    http2: false,
    drainMs: 30_000,
    agents: false,
    ...changes,
  };
}

export function row(id: string, changes: Partial<BackendRow> = {}): BackendRow {
  return {
    id,
    pool: 'web',
    url: 'http://127.0.0.1:9',
    weight: 1,
    eligible: true,
    barred: changes.eligible === false ? (changes.lastResort === true ? 'unknown' : 'unhealthy') : 'ok',
    lastResort: false,
    halfOpen: false,
    trialLimit: 2,
    limit: undefined,
    ...changes,
  };
}

/** Of a request with this key. */
export function keyed(key: number): Features {
  return { ...NO_FEATURES, key };
}

/** A limit for one backend, or for several that share a line. */
export function limitOf(max: number, workers = 1, line = newLineCells(workers)): RowLimit {
  return { max, adaptive: false, cells: newLimitCells(workers), line };
}
