import { z } from 'zod';
import { backendFields, backendSettings, endpoints, id, place } from '../data-schemas.ts';
import { command } from './declaration.ts';

const target = z.strictObject({ backend: id });
const ONE = '/v1/backends/:id';
/** As for `drain` of a pool: a day. */
const DRAIN_MS_MAX = 86_400_000;
const REST = { besides: 'backend' };

export const BACKEND_COMMANDS = {
  'backend.add': command({
    summary: 'add a backend to a pool',
    on: 'config',
    data: z.strictObject({
      settings: z
        .strictObject({ ...backendFields, weight: backendFields.weight.default(1) })
        .meta({ title: 'BackendDraft' }),
    }),
    http: { operation: 'addBackend', method: 'POST', path: '/v1/backends', body: { as: 'settings' } },
  }),
  'backend.update': command({
    summary: 'change the settings of a backend',
    on: 'backend',
    /** What is absent stays as it is. */
    data: z.strictObject({
      backend: id,
      url: z.string().optional(),
      weight: backendFields.weight.optional(),
      zone: z.string().optional(),
      /** All of them; an empty list leaves none but the URL. */
      endpoints: endpoints.optional(),
      /** Null = unknown. */
      place: place.nullable().optional(),
      /** Null = no limit. */
      maxConnections: backendFields.maxConnections.nullable(),
    }),
    http: { operation: 'updateBackend', method: 'PATCH', path: ONE, body: REST },
  }),
  'backend.remove': command({
    summary: 'drain a backend and take it away',
    on: 'backend',
    data: target,
    http: { operation: 'removeBackend', method: 'DELETE', path: ONE, body: REST },
  }),
  /** What an agent says of the backend beside it; a pool that takes agents gets it, or its new settings. */
  'backend.announce': command({
    summary: 'tell of the backend beside an agent',
    on: 'backend',
    data: z.strictObject({ settings: backendSettings }),
  }),
  /** Takes away a backend that an agent announced, and no other. */
  'backend.withdraw': command({
    summary: 'take away a backend that an agent announced',
    on: 'backend',
    data: target,
  }),
  'backend.drain': command({
    summary: 'give a backend no new requests and let it finish what it has',
    on: 'backend',
    data: z.strictObject({ backend: id, deadlineMs: z.number().int().min(0).max(DRAIN_MS_MAX).optional() }),
    http: { operation: 'drainBackend', method: 'POST', path: `${ONE}/drain`, body: REST },
  }),
  'backend.enable': command({
    summary: 'take a drained or disabled backend back',
    on: 'backend',
    data: target,
    http: { operation: 'enableBackend', method: 'POST', path: `${ONE}/enable`, body: REST },
  }),
  'backend.disable': command({
    summary: 'give a backend no new requests',
    on: 'backend',
    data: target,
    http: { operation: 'disableBackend', method: 'POST', path: `${ONE}/disable`, body: REST },
  }),
  'breaker.reset': command({
    summary: 'close the breaker of a backend, in the fleet and in every gateway',
    on: 'backend',
    data: target,
    http: { operation: 'resetBreaker', method: 'POST', path: '/v1/breakers/:id/reset', body: REST },
  }),
} as const;
