import { z } from 'zod';
import { id } from '../data-schemas.ts';
import { poolFields } from '../pool-schema.ts';
import { command, draft, patch } from './declaration.ts';

const ONE = '/v1/pools/:id';
const REST = { besides: 'pool' };

export const POOL_COMMANDS = {
  'pool.add': command({
    summary: 'add a pool',
    on: 'config',
    /** What is absent is as in a file that does not name it. */
    data: z.strictObject({
      settings: z.strictObject(draft(poolFields, ['id'])).meta({ title: 'PoolDraft' }),
    }),
    http: { operation: 'addPool', method: 'POST', path: '/v1/pools', body: { as: 'settings' } },
  }),
  'pool.update': command({
    summary: 'change the settings of a pool',
    on: 'pool',
    data: z.strictObject({ pool: id, ...patch(poolFields) }),
    http: { operation: 'updatePool', method: 'PATCH', path: ONE, body: REST },
  }),
  'pool.remove': command({
    summary: 'take a pool away that has no backends and no routes',
    on: 'pool',
    data: z.strictObject({ pool: id }),
    http: { operation: 'removePool', method: 'DELETE', path: ONE, body: REST },
  }),
  'pool.set_strategy': command({
    summary: 'set how a pool chooses among its backends',
    on: 'pool',
    data: z.strictObject({ pool: id, strategy: poolFields.strategy }),
    http: { operation: 'setStrategy', method: 'POST', path: `${ONE}/strategy`, body: REST },
  }),
  'pool.set_tiers': command({
    summary: 'set the tiers of a pool, all of them',
    on: 'pool',
    data: z.strictObject({ pool: id, tiers: poolFields.tiers.unwrap() }),
    http: { operation: 'setTiers', method: 'PUT', path: `${ONE}/tiers`, body: REST },
  }),
} as const;
