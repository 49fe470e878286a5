import type { BackendSettings, BackendStats, PolicySettings, PoolSettings, Resources } from '@usher/domain';
import {
  PRIORITIES,
  PRIORITY_MAX,
  PROBE_METHODS,
  PROXY_PROTOCOLS,
  RATE_SCOPES,
  RESERVE_MODES,
  SAME_SITES,
  SECURE_MODES,
  STORELESS_MODES,
  STRATEGY_NAMES,
  WEIGHT_MAX,
} from '@usher/domain';
import { z } from 'zod';
import { trafficSettings } from './traffic-schemas.ts';

/** The parts that several events' data are made of. Each is the shape on the log of the domain type it is checked against. */

/** Ids are also metric labels, subject tokens and file names, hence the narrow alphabet. */
export const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;
export const id = z.string().regex(ID_PATTERN);
export const count = z.number().int().nonnegative();
/** Milliseconds since the Unix epoch. */
export const instant = z.number().int().nonnegative();
/** A short sentence for people. */
export const cause = z.string().max(500);

const positive = z.number().int().positive();
const timing = {
  intervalMs: positive,
  downIntervalMs: positive.optional(),
  timeoutMs: positive,
  fall: positive,
  rise: positive,
};
const ratio = z.number().min(0).max(1);

const healthCheck = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  z.strictObject({ type: z.literal('tcp'), ...timing }),
  z.strictObject({
    type: z.literal('http'),
    path: z.string(),
    expectStatus: z.array(count),
    method: z.enum(PROBE_METHODS).optional(),
    headers: z.record(z.string(), z.string()).optional(),
    expectBody: z.string().optional(),
    ...timing,
  }),
  z.strictObject({ type: z.literal('grpc'), service: z.string(), ...timing }),
]);

const hash = z.discriminatedUnion('by', [
  z.strictObject({ by: z.literal('ip') }),
  z.strictObject({ by: z.literal('path') }),
  z.strictObject({ by: z.literal('header'), name: z.string() }),
  z.strictObject({ by: z.literal('cookie'), name: z.string() }),
]);

const stickySpan = { ttlMs: positive, idleMs: positive, affinity: z.boolean() };

const sticky = z.discriminatedUnion('by', [
  z.strictObject({
    by: z.literal('cookie'),
    name: z.string(),
    path: z.string(),
    domain: z.string().optional(),
    sameSite: z.enum(SAME_SITES),
    secure: z.enum(SECURE_MODES),
    keys: z.array(z.string()),
    ...stickySpan,
  }),
  z.strictObject({
    by: z.literal('header'),
    name: z.string(),
    fallback: z.enum(['none', 'ip']),
    ...stickySpan,
  }),
  z.strictObject({ by: z.literal('ip'), ...stickySpan }),
]);

export const resources: z.ZodType<Resources> = z.strictObject({
  milliCpu: count,
  memoryBytes: count,
  storageBytes: count,
  gpus: count,
  gpuMemoryBytes: count,
});

const factor = z.number().nonnegative();

const byName = {
  tls: z.boolean(),
  name: z.string(),
  servers: z.array(z.string()).optional(),
  refreshMinMs: positive,
  refreshMaxMs: positive,
};

const discovery = z.discriminatedUnion('by', [
  z.strictObject({ by: z.literal('dns'), port: positive.max(65_535), ...byName }),
  z.strictObject({ by: z.literal('srv'), ...byName }),
  z.strictObject({ by: z.literal('file'), file: z.string() }),
]);

export const poolSettings: z.ZodType<PoolSettings> = z.strictObject({
  id,
  strategy: z.enum(STRATEGY_NAMES),
  strategyFile: z.string().optional(),
  hash: hash.optional(),
  slowStartMs: count.optional(),
  tls: z
    .strictObject({
      ca: z.string().optional(),
      serverName: z.string().optional(),
      cert: z.string().optional(),
      key: z.string().optional(),
      verify: z.boolean(),
    })
    .optional(),
  queue: z.strictObject({ max: count, timeoutMs: positive }).optional(),
  health: healthCheck,
  breaker: z.strictObject({
    enabled: z.boolean(),
    failures: positive,
    windowMs: positive,
    openForMs: positive,
    halfOpenRequests: positive,
    successes: positive,
  }),
  passive: z
    .strictObject({
      enabled: z.boolean(),
      consecutive: positive,
      failureRate: ratio,
      windowMs: positive,
      requestsMin: positive,
      ejectForMs: positive,
      maxEjected: ratio,
    })
    .optional(),
  panic: ratio.optional(),
  retry: z.strictObject({ attempts: count, budgetRatio: ratio }),
  proxyProtocol: z.enum(PROXY_PROTOCOLS),
  http2: z.boolean(),
  drainMs: count,
  agents: z.boolean(),
  tiers: z.array(z.strictObject({ name: id, resources })).optional(),
  reserve: z.enum(RESERVE_MODES).optional(),
  reserveIdleMs: positive.optional(),
  reserveWithoutStore: z.enum(STORELESS_MODES).optional(),
  clientLocation: z.strictObject({ latitudeHeader: z.string(), longitudeHeader: z.string() }).optional(),
  scoring: z
    .strictObject({ distance: factor, cpu: factor, memory: factor, gpu: factor, latency: factor })
    .optional(),
  sticky: sticky.optional(),
  targets: z.strictObject({ networks: z.array(z.string()), names: z.array(z.string()) }).optional(),
  discovery: discovery.optional(),
  adaptive: z.strictObject({ min: positive, max: positive }).optional(),
});

export const endpoints = z.array(z.strictObject({ path: z.string(), url: z.string() }));
export const place = z.strictObject({
  latitude: z.number().min(-90).max(90),
  longitude: z.number().min(-180).max(180),
});

export const backendSettings: z.ZodType<BackendSettings> = z.strictObject({
  id,
  pool: id,
  url: z.string(),
  weight: z.number().nonnegative().max(WEIGHT_MAX),
  priority: count.max(PRIORITY_MAX).optional(),
  zone: z.string().optional(),
  endpoints: endpoints.optional(),
  place: place.optional(),
  maxConnections: count.optional(),
  capacity: resources.optional(),
});

const counted = { requests: positive, perMs: positive, burst: positive, scope: z.enum(RATE_SCOPES) };

const rateLimit = z.discriminatedUnion('by', [
  z.strictObject({ by: z.literal('ip'), ...counted }),
  z.strictObject({ by: z.literal('header'), name: z.string(), ...counted }),
  z.strictObject({ by: z.literal('route'), ...counted }),
  z.strictObject({ by: z.literal('global'), ...counted }),
]);

export const policySettings: z.ZodType<PolicySettings> = z.strictObject({
  routes: z.array(
    z.strictObject({
      id,
      host: z.string().optional(),
      path: z.string(),
      pool: id,
      plugins: z.array(
        z.strictObject({
          name: z.string(),
          file: z.string().optional(),
          options: z.record(z.string(), z.unknown()),
        }),
      ),
      websocket: z.boolean(),
      tier: z
        .strictObject({
          field: z.string().optional(),
          fieldBytesMax: count,
          query: z.string().optional(),
          header: z.string().optional(),
          default: id.optional(),
        })
        .optional(),
      rateLimit: z.union([z.literal('none'), rateLimit]).optional(),
      priority: z.enum(PRIORITIES).optional(),
      traffic: trafficSettings.optional(),
    }),
  ),
  timeouts: z.strictObject({
    requestHeaderMs: count,
    connectMs: count,
    responseMs: count,
    bodyIdleMs: count,
    idleMs: count,
    backendIdleMs: count,
    requestMs: count,
    upgradeIdleMs: count,
    // Absent in what was written before it existed.
    lameDuckMs: count.optional(),
    responseIdleMs: count.optional(),
    shutdownMs: count,
  }),
  limits: z.strictObject({
    requestBodyBytes: count,
    bodyRateBytesPerS: count,
    headerBytes: count,
    headerCount: count,
    connections: count,
    connectionsPerIp: count,
    requestsPerConnection: count,
    upgrades: count,
  }),
  trustedProxies: z.array(z.string()),
  rateLimit: rateLimit.optional(),
  traffic: trafficSettings.optional(),
});

const percent = z.number().min(0).max(100);

const statsFields = {
  atMs: instant,
  coresPercent: z.array(percent).max(4096),
  memoryUsedBytes: count,
  memoryTotalBytes: count,
  diskUsedBytes: count,
  diskTotalBytes: count,
  gpus: z
    .array(
      z.strictObject({
        percent,
        memoryUsedBytes: count,
        memoryTotalBytes: count,
        temperatureC: z.number(),
        powerW: z.number().nonnegative(),
      }),
    )
    .max(64),
};

export const backendStats: z.ZodType<BackendStats> = z.strictObject(statsFields);

/** What an agent sends. */
export interface AgentReport extends BackendStats {
  /** How often it sends one, so that its silence is understood from the first one on; absent = what is usual. */
  readonly everyMs?: number | undefined;
}

export const agentReport: z.ZodType<AgentReport> = z.strictObject({
  ...statsFields,
  everyMs: positive.max(3_600_000).optional(),
});
