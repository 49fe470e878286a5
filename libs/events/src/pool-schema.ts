import type { PoolSettings } from '@usher/domain';
import {
  PROBE_METHODS,
  PROXY_PROTOCOLS,
  RESERVE_MODES,
  SAME_SITES,
  SECURE_MODES,
  STORELESS_MODES,
  STRATEGY_NAMES,
} from '@usher/domain';
import { z } from 'zod';
import { count, id, positive, ratio, resources } from './data-schemas.ts';

const timing = {
  intervalMs: positive,
  downIntervalMs: positive.optional(),
  timeoutMs: positive,
  fall: positive,
  rise: positive,
};

const healthCheck = z
  .discriminatedUnion('type', [
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
  ])
  .meta({ title: 'HealthCheck' });

const hash = z
  .discriminatedUnion('by', [
    z.strictObject({ by: z.literal('ip') }),
    z.strictObject({ by: z.literal('path') }),
    z.strictObject({ by: z.literal('header'), name: z.string() }),
    z.strictObject({ by: z.literal('cookie'), name: z.string() }),
  ])
  .meta({ title: 'HashKey' });

const stickySpan = { ttlMs: positive, idleMs: positive, affinity: z.boolean() };

const sticky = z
  .discriminatedUnion('by', [
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
  ])
  .meta({ title: 'StickySettings' });

const factor = z.number().nonnegative();

const byName = {
  tls: z.boolean(),
  name: z.string(),
  servers: z.array(z.string()).optional(),
  refreshMinMs: positive,
  refreshMaxMs: positive,
};

const discovery = z
  .discriminatedUnion('by', [
    z.strictObject({ by: z.literal('dns'), port: positive.max(65_535), ...byName }),
    z.strictObject({ by: z.literal('srv'), ...byName }),
    z.strictObject({ by: z.literal('file'), file: z.string() }),
  ])
  .meta({ title: 'Discovery' });

export const poolFields = {
  id,
  strategy: z.enum(STRATEGY_NAMES).meta({ title: 'Strategy' }),
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
    .meta({ title: 'BackendTls' })
    .optional(),
  queue: z.strictObject({ max: count, timeoutMs: positive }).meta({ title: 'Queue' }).optional(),
  health: healthCheck,
  breaker: z
    .strictObject({
      enabled: z.boolean(),
      failures: positive,
      windowMs: positive,
      openForMs: positive,
      halfOpenRequests: positive,
      successes: positive,
    })
    .meta({ title: 'BreakerSettings' }),
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
    .meta({ title: 'PassiveHealth' })
    .optional(),
  panic: ratio.optional(),
  failOpen: z.boolean().optional(),
  retry: z.strictObject({ attempts: count, budgetRatio: ratio }).meta({ title: 'RetrySettings' }),
  proxyProtocol: z.enum(PROXY_PROTOCOLS),
  http2: z.boolean(),
  drainMs: count,
  agents: z.boolean(),
  tiers: z.array(z.strictObject({ name: id, resources }).meta({ title: 'Tier' })).optional(),
  reserve: z.enum(RESERVE_MODES).optional(),
  reserveIdleMs: positive.optional(),
  reserveWithoutStore: z.enum(STORELESS_MODES).optional(),
  clientLocation: z
    .strictObject({ latitudeHeader: z.string(), longitudeHeader: z.string() })
    .meta({ title: 'ClientLocation' })
    .optional(),
  scoring: z
    .strictObject({ distance: factor, cpu: factor, memory: factor, gpu: factor, latency: factor })
    .meta({ title: 'Scoring' })
    .optional(),
  sticky: sticky.optional(),
  targets: z
    .strictObject({ networks: z.array(z.string()), names: z.array(z.string()) })
    .meta({ title: 'Targets' })
    .optional(),
  discovery: discovery.optional(),
  adaptive: z.strictObject({ min: positive, max: positive }).optional(),
};

export const poolSettings: z.ZodType<PoolSettings> = z
  .strictObject(poolFields)
  .meta({ title: 'PoolSettings' });
