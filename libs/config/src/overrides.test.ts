import { describe, expect, test } from 'vitest';
import { parseConfigText } from './load.ts';
import { faultsOf } from './testing/faults-of.ts';

const FILE = `
workers: 1
timeouts: { idle: 10s, connect: 1s }
pools: { web-eu: { strategy: round_robin, retry: { attempts: 3 } } }
bus: embedded
`;

test('a variable lies over the file, and a flag over both', () => {
  const env = { USHER_WORKERS: '2', USHER_TIMEOUTS__IDLE: '20s' };
  const { local, shared } = parseConfigText(FILE, { env, overrides: [{ path: 'workers', value: '3' }] });
  expect(local.workers).toBe(3);
  expect(shared.timeouts).toMatchObject({ idleMs: 20_000, connectMs: 1000 });
});

test('of two flags for a key the later one counts', () => {
  const overrides = [
    { path: 'workers', value: '3' },
    { path: 'workers', value: '4' },
  ];
  expect(parseConfigText(FILE, { overrides }).local.workers).toBe(4);
});

describe('a variable', () => {
  test.each([
    [{ USHER_LISTEN: '0.0.0.0:80' }, { listen: [{ host: '0.0.0.0', port: 80 }] }],
    [
      { USHER_LISTEN: ':80, [::1]:81' },
      {
        listen: [
          { host: '0.0.0.0', port: 80 },
          { host: '::1', port: 81 },
        ],
      },
    ],
    [{ USHER_LISTEN: '[::1]:81' }, { listen: [{ host: '::1', port: 81 }] }],
    [{ USHER_LISTEN: '[{ address: ":82" }]' }, { listen: [{ host: '0.0.0.0', port: 82 }] }],
    [{ USHER_NAME: '7' }, { name: '7' }],
    [
      { USHER_BUS__SERVERS: 'nats://a,nats://b', USHER_STORE: 'redis://r' },
      { bus: { type: 'nats', servers: ['nats://a:4222', 'nats://b:4222'] } },
    ],
    [
      { USHER_BUS: '{ servers: ["nats://a"] }', USHER_STORE: 'redis://r' },
      { bus: { type: 'nats', servers: ['nats://a:4222'] } },
    ],
    [{ USHER_STORE: 'redis://r' }, { store: { type: 'redis', url: 'redis://r:6379' } }],
    [{ USHER_ADMIN: 'none' }, { admin: null }],
    [{ USHER_METRICS__ADDRESS: '127.0.0.1:1' }, { metrics: { host: '127.0.0.1', port: 1 } }],
    [{ USHER_METRICS: 'none', USHER_METRICS__ADDRESS: '127.0.0.1:1' }, { metrics: { port: 1 } }],
  ])('%j sets a local key', (env, expected) => {
    expect(parseConfigText(FILE, { env }).local).toMatchObject(expected);
  });

  test('finds a pool of the file whose id it cannot spell', () => {
    const env = { USHER_POOLS__WEB_EU__STRATEGY: 'p2c', USHER_POOLS__WEB_EU__RETRY__BUDGET: '5%' };
    const { pools } = parseConfigText(FILE, { env }).shared;
    expect(pools).toHaveLength(1);
    expect(pools[0]).toMatchObject({
      id: 'web-eu',
      strategy: 'p2c',
      retry: { attempts: 3, budgetRatio: 0.05 },
    });
  });

  test('can declare a pool that the file lacks', () => {
    const env = { USHER_POOLS__API__BACKENDS: 'http://a,http://b', USHER_POOLS__API__AGENTS: 'true' };
    const { pools, backends } = parseConfigText(FILE, { env }).shared;
    expect(pools.map(({ id, agents }) => [id, agents])).toEqual([
      ['web-eu', false],
      ['api', true],
    ]);
    expect(backends.map((backend) => backend.url)).toEqual(['http://a', 'http://b']);
  });
});

test('a flag takes YAML in one line for maps', () => {
  const overrides = [{ path: 'pools.web-eu.retry', value: '{ attempts: 2, budget: 50% }' }];
  expect(parseConfigText(FILE, { overrides }).shared.pools[0]?.retry).toEqual({
    attempts: 2,
    budgetRatio: 0.5,
  });
});

test.each<[Record<string, string>, string[]]>([
  [
    { USHER_WORKERS: 'many' },
    ['env USHER_WORKERS: expected auto or a whole number from 1 to 256, found "many"'],
  ],
  [
    { USHER_WORKERS: '' },
    ['env USHER_WORKERS: expected auto or a whole number from 1 to 256, found nothing'],
  ],
  [{ USHER_IDLE: '2s' }, ['env USHER_IDLE: unknown key, did you mean "USHER_TIMEOUTS__IDLE"?']],
  [{ USHER_WORKER: '2' }, ['env USHER_WORKER: unknown key, did you mean "USHER_WORKERS"?']],
  [
    { USHER_TIMEOUTS_IDLE: '2s' },
    ['env USHER_TIMEOUTS_IDLE: unknown key, did you mean "USHER_TIMEOUTS__IDLE"?'],
  ],
  [
    { USHER_TIMEOUTS__IDLE: '2' },
    ['env USHER_TIMEOUTS__IDLE: a duration needs its unit, did you mean "2s"?'],
  ],
  [{ USHER_TIMEOUTS: '2s' }, ['env USHER_TIMEOUTS: expected a map, found text']],
  [
    { USHER_LISTEN__0__ADDRESS: ':80' },
    ['env USHER_LISTEN__0__ADDRESS: listen is a list, which can only be given as a whole'],
  ],
  [{ USHER_WORKERS__MAX: '2' }, ['env USHER_WORKERS__MAX: workers has no keys below it']],
  [{ USHER_LISTEN: ':80,:x' }, ['env USHER_LISTEN listen[1]: ":x" is not an address such as 0.0.0.0:8080']],
  [
    { USHER_ROUTES: '[{ path: / ]' },
    [
      'env USHER_ROUTES: the indentation does not match the lines around it, or a bracket before it is not closed',
    ],
  ],
  [
    { USHER_ROUTES: '[{ pool: web-eu }]' },
    ['env USHER_ROUTES routes[0].path: missing; expected a path such as /login, /v1/* or /*'],
  ],
  [
    { USHER_BUS__SERVERS: '' },
    [
      'env USHER_BUS__SERVERS: expected a list of at least 1, each a URL such as nats://10.0.0.1:4222, found 0',
    ],
  ],
])('a fault in %j names the variable', (env, faults) => {
  expect(faultsOf(FILE, { env })).toEqual(faults);
});

test.each([
  ['pools.web-eu.stategy', 'p2c', 'unknown key, did you mean "pools.web-eu.strategy"?'],
  ['idle', '2s', 'unknown key, did you mean "timeouts.idle"?'],
  ['timeouts.idle', '5', 'a duration needs its unit, did you mean "5s"?'],
  ['limits.connections', 'x', 'expected a whole number from 1 to 10000000, found text'],
  ['', 'x', 'unknown key'],
])('a fault in the flag %j names it', (path, value, message) => {
  const faults = faultsOf(FILE, { overrides: [{ path, value }] });
  expect(faults).toEqual([`flag --set ${path}: ${message}`]);
});

test('what a cluster sets for a service called usher is no mistake', () => {
  const env = {
    USHER_SERVICE_HOST: '10.0.0.1',
    USHER_SERVICE_PORT: '80',
    USHER_SERVICE_PORT_HTTP: '80',
    USHER_PORT: 'tcp://10.0.0.1:80',
    USHER_PORT_80_TCP: 'tcp://10.0.0.1:80',
    USHER_PORT_80_TCP_ADDR: '10.0.0.1',
    USHER_ADMIN_SERVICE_HOST: '10.0.0.2',
    USHER_WORKERS: undefined,
    PATH: '/bin',
  };
  expect(faultsOf(FILE, { env })).toEqual([]);
});

test('an override without a file is enough of a configuration', () => {
  const env = { USHER_POOLS__WEB__BACKENDS: 'http://a' };
  const overrides = [{ path: 'routes', value: '[{ path: "/*", pool: web }]' }];
  const { shared } = parseConfigText('{}', { env, overrides });
  expect(shared.backends).toEqual([
    { id: 'web-1', pool: 'web', url: 'http://a', weight: 1, maxConnections: 0 },
  ]);
  expect(shared.routes).toHaveLength(1);
});
