import { ADMIN_OPTIONS, CHANGE_OPTIONS } from './options.ts';
import { verb } from './verb.ts';

/** Verbs that change what a configuration declares. */

const POOL = { POOL: { doc: 'the pool' } } as const;
const ROUTE = { ROUTE: { doc: 'the route' } } as const;
const FILE = { FILE: { doc: 'the configuration', takes: { paths: 'files' } } } as const;

const SETTING = {
  type: 'string',
  value: 'KEY=VALUE',
  multiple: true,
  doc: 'a setting as the API names it, such as drainMs=5000, breaker.failures=3 or \'queue={"max":5,"timeoutMs":100}\'; null takes it away',
} as const;

const WHOSE = {
  session: { type: 'string', value: 'ID', doc: 'only this one, as the log names it' },
  client: {
    type: 'string',
    value: 'TEXT',
    doc: 'only that of a client which sends this: the header’s value, the cookie’s, or its address',
  },
} as const;

export const breakersReset = verb({
  name: 'breakers reset',
  summary: 'close the breaker of a backend, in the fleet and in every gateway',
  arguments: { ID: { doc: 'the backend' } },
  options: CHANGE_OPTIONS,
});

export const stickyClear = verb({
  name: 'sticky clear',
  summary: 'have the sessions of a pool, or one of them, begin anew',
  notes: ['What a session has reserved stays reserved.'],
  arguments: POOL,
  options: {
    ...WHOSE,
    ...CHANGE_OPTIONS,
  },
});

export const allocationsPurge = verb({
  name: 'allocations purge',
  summary: 'give back what is reserved of a pool, of one of its backends or for one session',
  notes: ['Requests that still run for it go on, without a reservation.'],
  arguments: POOL,
  options: {
    backend: { type: 'string', value: 'ID', doc: 'only what is reserved of this backend' },
    ...WHOSE,
    ...CHANGE_OPTIONS,
  },
});

export const poolsAdd = verb({
  name: 'pools add',
  summary: 'add a pool',
  notes: ['What is not said is as in a file that does not say it.'],
  arguments: POOL,
  options: { setting: SETTING, ...CHANGE_OPTIONS },
});

export const poolsUpdate = verb({
  name: 'pools update',
  summary: 'change the settings of a pool',
  arguments: POOL,
  options: { setting: SETTING, ...CHANGE_OPTIONS },
});

export const poolsRemove = verb({
  name: 'pools remove',
  summary: 'take a pool away that has no backends and no routes',
  arguments: POOL,
  options: CHANGE_OPTIONS,
});

export const poolsTiers = verb({
  name: 'pools tiers',
  summary: 'set the tiers of a pool, all of them',
  arguments: { ...POOL, TIERS: { doc: 'a list in JSON, as the API has it' } },
  options: CHANGE_OPTIONS,
});

export const routesAdd = verb({
  name: 'routes add',
  summary: 'add a route',
  arguments: ROUTE,
  options: {
    path: { type: 'string', value: 'PATH', required: true, doc: 'path of the requests, such as /v1/*' },
    pool: { type: 'string', value: 'P', doc: 'the pool that serves them, unless all are sent elsewhere' },
    host: { type: 'string', value: 'HOST', doc: 'host that they are for' },
    setting: SETTING,
    ...CHANGE_OPTIONS,
  },
});

export const routesUpdate = verb({
  name: 'routes update',
  summary: 'change a route',
  arguments: ROUTE,
  options: { setting: SETTING, ...CHANGE_OPTIONS },
});

export const routesRemove = verb({
  name: 'routes remove',
  summary: 'take a route away',
  arguments: ROUTE,
  options: CHANGE_OPTIONS,
});

export const limits = verb({
  name: 'limits',
  summary: 'change how large things may be, and how many',
  options: { setting: SETTING, ...CHANGE_OPTIONS },
});

export const config = verb({
  name: 'config',
  also: 'show',
  summary: 'print the shared settings in force and their revision',
  options: ADMIN_OPTIONS,
});

export const configDiff = verb({
  name: 'config diff',
  summary: 'tell what config apply would change with a file',
  notes: [
    'The file is read here, as for config apply; check --against running has the running process read it, as its own.',
    'It ends with 0 when nothing would change, with 1 when something would, and with 2 when that cannot be said.',
  ],
  arguments: FILE,
  options: ADMIN_OPTIONS,
});

export const configApply = verb({
  name: 'config apply',
  summary: 'make the fleet what a configuration declares',
  notes: ['Its shared part: pools, backends, routes, timeouts and limits. What commands added stays.'],
  arguments: FILE,
  options: CHANGE_OPTIONS,
});

export const configRevert = verb({
  name: 'config revert',
  summary: 'make the configuration what it was at an earlier position of the log',
  arguments: { POSITION: { doc: 'the position, as usher events and ETags tell it' } },
  options: CHANGE_OPTIONS,
});
