import type { Change, SharedSettings } from '@usher/domain';
import { policySettings, sharedSettings } from '@usher/events';
import {
  CHANGE,
  COUNT,
  declareRoute,
  described,
  FLAG,
  INSTANT,
  type JsonSchema,
  listOf,
  nullable,
  objectOf,
  TEXT,
} from '@usher/runtime';
import type { Status } from '../status.ts';
import { schemaOf } from './from-events.ts';
import { BACKEND, BREAKERS, GATEWAY, NAMED_DRAIN, POOL, POOL_SUMMARY } from './view-schemas.ts';

const REVISION_IN_ETAG = 'The header ETag has the revision that a change may require with If-Match.';
const OF_POOL = { pool: described('Only those of this pool', TEXT) };
const CONNECTION = objectOf<Status['log']>({ connected: FLAG, since: INSTANT });
const POSITION = described('Position of the log that the answer stands for', COUNT);

/** A list with the position that it stands for. */
function at(name: string, items: JsonSchema): JsonSchema {
  const properties = { position: POSITION, [name]: listOf(items) };
  return { type: 'object', properties, required: ['position', name] };
}

const STATUS_SCHEMA = objectOf<Status>(
  {
    instance: TEXT,
    version: TEXT,
    position: COUNT,
    digest: TEXT,
    config: nullable(objectOf<NonNullable<Status['config']>>({ revision: COUNT, hash: TEXT })),
    leader: nullable(objectOf<NonNullable<Status['leader']>>({ scheduler: TEXT, term: COUNT })),
    log: CONNECTION,
    store: CONNECTION,
    pools: listOf(POOL_SUMMARY),
    gateways: listOf(GATEWAY),
    outages: listOf(objectOf<Status['outages'][number]>({ part: TEXT, since: INSTANT, what: TEXT })),
    drains: listOf(NAMED_DRAIN),
    degraded: listOf(TEXT),
  },
  'Status',
);

export const STATUS = declareRoute('read', {
  name: 'getStatus',
  summary: 'Tell how this process and the fleet are',
  answer: { description: 'As this process has folded the log', schema: STATUS_SCHEMA },
});

export const BACKENDS = declareRoute('read', {
  name: 'listBackends',
  summary: 'List the backends',
  query: OF_POOL,
  answer: { description: 'All of them, or those of the pool', schema: at('backends', BACKEND) },
  refusals: ['not_found'],
});

export const ONE_BACKEND = declareRoute('read', {
  name: 'getBackend',
  summary: 'Tell how a backend is',
  notes: REVISION_IN_ETAG,
  path: { id: described('The backend', TEXT) },
  answer: { description: 'The backend', schema: BACKEND },
});

export const BREAKER_LIST = declareRoute('read', {
  name: 'listBreakers',
  summary: 'Tell how gateways vote on the breakers of backends',
  query: OF_POOL,
  answer: { description: 'Breakers, and what each gateway’s votes are worth', schema: BREAKERS },
  refusals: ['not_found'],
});

export const POOLS = declareRoute('read', {
  name: 'listPools',
  summary: 'List the pools',
  answer: { description: 'Their settings and backends', schema: at('pools', POOL) },
});

export const ONE_POOL = declareRoute('read', {
  name: 'getPool',
  summary: 'Tell how a pool is',
  notes: REVISION_IN_ETAG,
  path: { id: described('The pool', TEXT) },
  answer: { description: 'The pool', schema: POOL },
});

export const CONFIG = declareRoute('read', {
  name: 'getConfig',
  summary: 'Tell the shared settings in force, whether a file or commands made them',
  notes: REVISION_IN_ETAG,
  answer: {
    description: 'The configuration; null until one was applied',
    schema: objectOf<{ position: number; revision: number; config: SharedSettings | null }>({
      position: POSITION,
      revision: described('As in ETag', COUNT),
      config: nullable(schemaOf(sharedSettings, 'SharedSettings')),
    }),
  },
});

export const CONFIG_DIFF = declareRoute('read', {
  name: 'diffConfig',
  summary: 'Tell what a configuration would change if it were applied',
  notes: 'Nothing changes.',
  body: { required: true, schema: schemaOf(sharedSettings, 'SharedSettings') },
  answer: {
    description: 'The changes from what is in force',
    schema: objectOf<{ position: number; revision: number; changes: readonly Change[] }>({
      position: POSITION,
      revision: described('Of what is in force', COUNT),
      changes: listOf(CHANGE),
    }),
  },
});

export const ROUTES = declareRoute('read', {
  name: 'listRoutes',
  summary: 'List the routes',
  notes: 'The header ETag has the revision of the whole configuration.',
  answer: {
    description: 'As they were declared',
    schema: at('routes', schemaOf(policySettings).properties?.['routes']?.items ?? {}),
  },
});

export const GATEWAYS = declareRoute('read', {
  name: 'listGateways',
  summary: 'List the gateways',
  answer: { description: 'Those that run, and the last that have gone', schema: at('gateways', GATEWAY) },
});

export const EVENTS = declareRoute('read', {
  name: 'readEvents',
  summary: 'Read the event log',
  notes:
    'One JSON object a line: a record with its `position`, `subject` and `events`, or at an early end `error` with a problem that says after which position to go on. docs/reference/asyncapi.json has the events.',
  query: {
    after: described(
      'Only what is after this position; default 0, or with `follow` the end of the log',
      COUNT,
    ),
    limit: described('At most so many records', COUNT),
    follow: described('Whether to go on with what is written later', FLAG),
  },
  answer: { description: 'Lines of JSON', type: 'application/x-ndjson', schema: TEXT },
  refusals: ['log_unavailable', 'log_replaced', 'overloaded'],
});
