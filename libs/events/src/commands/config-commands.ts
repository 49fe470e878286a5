import { z } from 'zod';
import { count, id, limitFields, routeFields } from '../data-schemas.ts';
import { sharedSettings } from '../shared-schema.ts';
import { command, draft, patch } from './declaration.ts';

const ONE = '/v1/routes/:id';
const REST = { besides: 'route' };

/** Commands that change the shared settings beside pools and backends, or all of them. */
export const CONFIG_COMMANDS = {
  'route.add': command({
    summary: 'add a route',
    on: 'config',
    data: z.strictObject({ settings: z.strictObject(draft(routeFields, ['id', 'path'])) }),
    http: { operation: 'addRoute', method: 'POST', path: '/v1/routes', body: { as: 'settings' } },
  }),
  'route.update': command({
    summary: 'change a route',
    on: 'config',
    data: z.strictObject({ route: id, ...patch(routeFields) }),
    http: { operation: 'updateRoute', method: 'PATCH', path: ONE, body: REST },
  }),
  'route.remove': command({
    summary: 'take a route away',
    on: 'config',
    data: z.strictObject({ route: id }),
    http: { operation: 'removeRoute', method: 'DELETE', path: ONE, body: REST },
  }),
  'limits.update': command({
    summary: 'change how large things may be, and how many',
    on: 'config',
    data: z.strictObject(draft(limitFields, [])),
    http: { operation: 'updateLimits', method: 'PATCH', path: '/v1/limits', body: 'whole' },
  }),
  'config.apply': command({
    summary: 'make the fleet what a configuration declares',
    on: 'config',
    data: z.strictObject({ config: sharedSettings }),
    http: { operation: 'applyConfig', method: 'PUT', path: '/v1/config', body: { as: 'config' } },
  }),
  'config.revert': command({
    summary: 'make the configuration what it was at an earlier position of the log',
    on: 'config',
    data: z.strictObject({ to: count }),
    http: { operation: 'revertConfig', method: 'POST', path: '/v1/config/revert', body: 'whole' },
  }),
} as const;
