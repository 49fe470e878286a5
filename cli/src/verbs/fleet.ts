import { STRATEGY_NAMES } from '@usher/domain';
import { ADMIN_OPTIONS, BACKEND_OPTIONS, CHANGE_OPTIONS, PLACE_OPTION } from './options.ts';
import { verb } from './verb.ts';

/** Verbs that ask a running system, or have it changed. */

const BACKEND = { ID: { doc: 'the backend' } } as const;

export const status = verb({
  name: 'status',
  summary: 'tell how the running system is',
  options: ADMIN_OPTIONS,
});

export const backends = verb({
  name: 'backends',
  also: 'list',
  summary: 'list the backends',
  options: { ...ADMIN_OPTIONS, pool: { type: 'string', value: 'P', doc: 'only those of this pool' } },
});

const ENDPOINT_OPTION = {
  endpoint: {
    type: 'string',
    value: 'PATH=URL',
    multiple: true,
    doc: "where it listens for some paths, such as '/api/*=http://10.0.0.1:3001'",
  },
} as const;

/** For this verb --id is the backend's; the command gets an id of its own. */
export const backendsAdd = verb({
  name: 'backends add',
  summary: 'add a backend to a pool',
  options: {
    pool: { type: 'string', value: 'P', required: true, doc: 'the pool' },
    url: { type: 'string', value: 'URL', required: true, doc: 'where the backend listens' },
    ...ENDPOINT_OPTION,
    ...BACKEND_OPTIONS,
    ...PLACE_OPTION,
    ...CHANGE_OPTIONS,
    id: { type: 'string', value: 'ID', required: true, doc: 'its id, unique in the fleet' },
  },
});

export const backendsUpdate = verb({
  name: 'backends update',
  summary: 'change the settings of a backend',
  notes: ['--endpoint names all of them anew. `--endpoint none` and `--place none` take away what there is.'],
  arguments: BACKEND,
  options: {
    url: { type: 'string', value: 'URL', doc: 'where it listens' },
    ...ENDPOINT_OPTION,
    ...BACKEND_OPTIONS,
    ...PLACE_OPTION,
    ...CHANGE_OPTIONS,
  },
});

export const backendsRemove = verb({
  name: 'backends remove',
  summary: 'drain a backend and take it away',
  arguments: BACKEND,
  options: CHANGE_OPTIONS,
});

export const drain = verb({
  name: 'drain',
  summary: 'give a backend no new requests and let it finish what it has',
  arguments: BACKEND,
  options: {
    deadline: {
      type: 'string',
      value: 'SECONDS',
      doc: 'how long it may take, when not as long as its pool says',
    },
    ...CHANGE_OPTIONS,
  },
});

export const enable = verb({
  name: 'enable',
  summary: 'take a drained or disabled backend back',
  arguments: BACKEND,
  options: CHANGE_OPTIONS,
});

export const disable = verb({
  name: 'disable',
  summary: 'give a backend no new requests',
  arguments: BACKEND,
  options: CHANGE_OPTIONS,
});

export const weight = verb({
  name: 'weight',
  summary: 'set the share of a backend; 0 = none',
  arguments: { ...BACKEND, N: { doc: 'its weight' } },
  options: CHANGE_OPTIONS,
});

export const breakers = verb({
  name: 'breakers',
  summary: 'tell how the gateways vote on the breaker of each backend, and whose votes count',
  options: { ...ADMIN_OPTIONS, pool: { type: 'string', value: 'P', doc: 'only those of this pool' } },
});

export const pools = verb({
  name: 'pools',
  also: 'list',
  summary: 'list the pools',
  options: ADMIN_OPTIONS,
});

export const poolsStrategy = verb({
  name: 'pools strategy',
  summary: 'set how a pool chooses among its backends',
  arguments: { POOL: { doc: 'the pool' }, NAME: { doc: 'the strategy', takes: { words: STRATEGY_NAMES } } },
  options: CHANGE_OPTIONS,
});

export const routes = verb({
  name: 'routes',
  also: 'list',
  summary: 'list the routes in the order in which they are preferred',
  options: ADMIN_OPTIONS,
});

export const routeExplain = verb({
  name: 'route explain',
  summary: 'tell what a gateway would do with a request now, and why',
  notes: ['Nothing is sent to any backend and nothing changes.'],
  arguments: { URL: { doc: 'the URL, after a method and a space if it is not GET' } },
  options: {
    method: { type: 'string', short: 'X', value: 'METHOD', doc: 'the method' },
    header: {
      type: 'string',
      short: 'H',
      value: "'NAME: VALUE'",
      multiple: true,
      doc: 'a header of the request',
    },
    tier: { type: 'string', value: 'T', doc: 'the tier, when it is not to be found in the request' },
    'client-ip': { type: 'string', value: 'IP', doc: 'address of the client' },
    from: { type: 'string', value: 'LATITUDE,LONGITUDE', doc: 'where the client is, in degrees' },
    pool: { type: 'string', value: 'P', doc: 'the pool, whatever the routes say' },
    gateway: { type: 'string', value: 'NAME', doc: 'the gateway to ask, when not any' },
    ...ADMIN_OPTIONS,
  },
});

const FROM = {
  after: { type: 'string', value: 'POSITION', doc: 'only what is after this position' },
  limit: { type: 'string', value: 'N', doc: 'at most so many records' },
} as const;

export const events = verb({
  name: 'events',
  summary: 'print the newest events',
  options: { ...FROM, ...ADMIN_OPTIONS },
});

export const eventsTail = verb({
  name: 'events tail',
  summary: 'print events as they happen',
  options: { ...FROM, ...ADMIN_OPTIONS },
});

export const eventsExport = verb({
  name: 'events export',
  summary: 'print all events as lines of JSON',
  options: { ...FROM, ...ADMIN_OPTIONS },
});
