import { REDIRECT_STATUSES, type TrafficSettings } from '@usher/domain';
import { z } from 'zod';

const values = z.record(z.string(), z.string());
const headerEdits = z.strictObject({ set: values, add: values, remove: z.array(z.string()) });
const none = z.literal('none');

/** What a route, or all of them, ask of requests and change in them. */
export const trafficSettings: z.ZodType<TrafficSettings> = z.strictObject({
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
  rewrite: z.strictObject({ strip: z.string().optional(), add: z.string().optional() }).optional(),
  requestHeaders: z.union([none, headerEdits]).optional(),
  responseHeaders: z.union([none, headerEdits]).optional(),
  securityHeaders: z
    .union([none, z.strictObject({ hsts: z.string().optional(), headers: values })])
    .optional(),
});
