import {
  type CanarySettings,
  type MirrorSettings,
  REDIRECT_STATUSES,
  REQUEST_ID_TRUST,
  type SplitSettings,
  TOKEN_ALGORITHMS,
  type TrafficSettings,
} from '@usher/domain';
import { z } from 'zod';

const values = z.record(z.string(), z.string());
const headerEdits = z
  .strictObject({ set: values, add: values, remove: z.array(z.string()) })
  .meta({ title: 'HeaderEdits' });
const names = z.array(z.string());
const none = z.literal('none');

/** Of a secret there is only the place: events are kept, and many may read them. */
const tokenKey = z
  .union([
    z.strictObject({ id: z.string().optional(), algorithm: z.enum(TOKEN_ALGORITHMS), key: z.string() }),
    z.strictObject({
      id: z.string().optional(),
      algorithm: z.literal('HS256'),
      reference: z.string().regex(/^(env:|file:\/)/),
    }),
  ])
  .meta({ title: 'TokenKey' });

/** What a route, or all of them, ask of requests and change in them. */
export const trafficSettings: z.ZodType<TrafficSettings> = z
  .strictObject({
    clients: z
      .union([none, z.strictObject({ allow: z.array(z.string()), deny: z.array(z.string()) })])
      .optional(),
    redirect: z
      .union([
        none,
        z.literal('https'),
        z.strictObject({ status: z.literal(REDIRECT_STATUSES), to: z.string() }),
      ])
      .optional(),
    cors: z
      .union([
        none,
        z.strictObject({
          origins: names,
          methods: names,
          headers: names,
          expose: names,
          credentials: z.boolean(),
          maxAgeS: z.number().int().nonnegative(),
        }),
      ])
      .optional(),
    apiKeys: z
      .union([
        none,
        z.strictObject({
          header: z.string(),
          keys: z.array(z.strictObject({ name: z.string(), sha256: z.string() })),
        }),
      ])
      .optional(),
    jwt: z
      .union([
        none,
        z.strictObject({
          issuer: z.string(),
          audience: z.string(),
          keys: z.array(tokenKey),
          // Absent in what was written before it existed.
          jwks: z
            .union([z.strictObject({ url: z.string() }), z.strictObject({ file: z.string() })])
            .optional(),
          claimHeaders: values.optional(),
        }),
      ])
      .optional(),
    bodyBytes: z.number().int().nonnegative().optional(),
    requestId: z
      .union([none, z.strictObject({ header: z.string(), trust: z.enum(REQUEST_ID_TRUST) })])
      .optional(),
    rewrite: z.strictObject({ strip: z.string().optional(), add: z.string().optional() }).optional(),
    requestHeaders: z.union([none, headerEdits]).optional(),
    responseHeaders: z.union([none, headerEdits]).optional(),
    securityHeaders: z
      .union([none, z.strictObject({ hsts: z.string().optional(), headers: values })])
      .optional(),
  })
  .meta({ title: 'TrafficSettings' });

/** Which requests of a route go to other pools because they ask for it. */
export const canaries: z.ZodType<readonly CanarySettings[]> = z
  .array(
    z.strictObject({
      by: z.enum(['header', 'cookie']),
      name: z.string(),
      value: z.string().optional(),
      pool: z.string(),
    }),
  )
  .meta({ title: 'Canaries' });

/** Which part of the requests of a route goes to other pools. */
export const split: z.ZodType<SplitSettings> = z
  .strictObject({
    by: z
      .discriminatedUnion('by', [
        z.strictObject({ by: z.literal('ip') }),
        z.strictObject({ by: z.literal('header'), name: z.string() }),
        z.strictObject({ by: z.literal('cookie'), name: z.string() }),
      ])
      .optional(),
    pools: z.array(z.strictObject({ pool: z.string(), share: z.number().min(0).max(1) })).min(1),
  })
  .meta({ title: 'SplitSettings' });

/** Where copies of a route's requests go. */
export const mirror: z.ZodType<MirrorSettings> = z
  .strictObject({
    pool: z.string(),
    share: z.number().min(0).max(1),
  })
  .meta({ title: 'MirrorSettings' });
