import type {
  BackendSettings,
  BackendStats,
  LimitSettings,
  PolicySettings,
  Resources,
  RouteSettings,
} from '@usher/domain';
import { PRIORITIES, PRIORITY_MAX, RATE_SCOPES, WEIGHT_MAX } from '@usher/domain';
import { z } from 'zod';
import { canaries, mirror, split, trafficSettings } from './traffic-schemas.ts';

/** The parts that several events' data are made of. Each is the shape on the log of the domain type it is checked against. */

/** Ids are also metric labels, subject tokens and file names, hence the narrow alphabet. */
export const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;
export const id = z.string().regex(ID_PATTERN);

/** The nearest id to a text; empty when nothing of it is left. */
export function fitForId(written: string): string {
  return written
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^[_-]+/, '')
    .slice(0, 63)
    .replace(/-+$/, '');
}
export const count = z.number().int().nonnegative();
/** Milliseconds since the Unix epoch. */
export const instant = z.number().int().nonnegative();
export const positive = z.number().int().positive();
export const ratio = z.number().min(0).max(1);
/** A short sentence for people. */
export const cause = z.string().max(500);

export const resources: z.ZodType<Resources> = z
  .strictObject({
    milliCpu: count,
    memoryBytes: count,
    storageBytes: count,
    gpus: count,
    gpuMemoryBytes: count,
  })
  .meta({ title: 'Resources' });

export const endpoints = z.array(z.strictObject({ path: z.string(), url: z.string() }));
export const place = z
  .strictObject({
    latitude: z.number().min(-90).max(90),
    longitude: z.number().min(-180).max(180),
  })
  .meta({ title: 'Place' });

export const backendFields = {
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
};

export const backendSettings: z.ZodType<BackendSettings> = z
  .strictObject(backendFields)
  .meta({ title: 'BackendSettings' });

const counted = { requests: positive, perMs: positive, burst: positive, scope: z.enum(RATE_SCOPES) };

const rateLimit = z
  .discriminatedUnion('by', [
    z.strictObject({ by: z.literal('ip'), ...counted }),
    z.strictObject({ by: z.literal('header'), name: z.string(), ...counted }),
    z.strictObject({ by: z.literal('route'), ...counted }),
    z.strictObject({ by: z.literal('global'), ...counted }),
  ])
  .meta({ title: 'RateLimit' });

export const routeFields = {
  id,
  host: z.string().optional(),
  path: z.string(),
  pool: id.optional(),
  plugins: z.array(
    z
      .strictObject({
        name: z.string(),
        file: z.string().optional(),
        options: z.record(z.string(), z.unknown()),
      })
      .meta({ title: 'PluginUse' }),
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
    .meta({ title: 'TierChoice' })
    .optional(),
  rateLimit: z.union([z.literal('none'), rateLimit]).optional(),
  priority: z.enum(PRIORITIES).optional(),
  traffic: trafficSettings.optional(),
  canaries: canaries.optional(),
  split: split.optional(),
  mirror: mirror.optional(),
};

export const routeSettings: z.ZodType<RouteSettings> = z
  .strictObject(routeFields)
  .meta({ title: 'RouteSettings' });

export const limitFields = {
  requestBodyBytes: count,
  bodyRateBytesPerS: count,
  headerBytes: count,
  headerCount: count,
  connections: count,
  connectionsPerIp: count,
  requestsPerConnection: count,
  upgrades: count,
};

export const limitSettings: z.ZodType<LimitSettings> = z
  .strictObject(limitFields)
  .meta({ title: 'LimitSettings' });

export const policyFields = {
  routes: z.array(routeSettings),
  timeouts: z
    .strictObject({
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
    })
    .meta({ title: 'TimeoutSettings' }),
  limits: limitSettings,
  trustedProxies: z.array(z.string()),
  rateLimit: rateLimit.optional(),
  traffic: trafficSettings.optional(),
};

export const policySettings: z.ZodType<PolicySettings> = z.strictObject(policyFields);

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
      z
        .strictObject({
          percent,
          memoryUsedBytes: count,
          memoryTotalBytes: count,
          temperatureC: z.number(),
          powerW: z.number().nonnegative(),
        })
        .meta({ title: 'GpuStats' }),
    )
    .max(64),
};

export const backendStats: z.ZodType<BackendStats> = z.strictObject(statsFields);

/** What an agent sends. */
export interface AgentReport extends BackendStats {
  /** How often it sends one, so that its silence is understood from the first one on; absent = what is usual. */
  readonly everyMs?: number | undefined;
  /** Longer silence makes it stale, whatever the interval is; absent = that follows from the interval. */
  readonly staleAfterMs?: number | undefined;
}

export const agentReport: z.ZodType<AgentReport> = z.strictObject({
  ...statsFields,
  everyMs: positive.max(3_600_000).optional(),
  staleAfterMs: positive.min(5_000).max(604_800_000).optional(),
});
