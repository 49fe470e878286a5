import type { SharedSettings } from '@usher/domain';
import { EVERY_SHARED_KEY } from '@usher/testing';
import { expect, test } from 'vitest';
import { explainConfig } from './explain.ts';
import { ConfigError } from './fault.ts';
import { POLICY_KEYS, root } from './keys/root.ts';
import { parseConfigText } from './load.ts';
import { join } from './reading.ts';
import { backendFaults, settingFaults } from './setting-faults.ts';
import type { Type } from './types/type.ts';

const disk = { isFile: () => true, readBytes: () => Buffer.from('') };
const config = parseConfigText(EVERY_SHARED_KEY, { disk, env: { COOKIE_KEY: 'q7Wm2Zx9Lk4Rt6Vb8Np1Ys3' } });
const { shared } = config;
const NOTHING = parseConfigText('{}').shared;
const SHARED = new Set([...Object.keys(POLICY_KEYS), 'pools', 'routes']);

/** Every key below a type, with `*` for what users name or count. */
function keysOf({ shape }: Type<unknown>, path: string): string[] {
  if (shape.kind === 'list') return keysOf(shape.item, path);
  if (shape.kind === 'record') return keysOf(shape.value, join(path, '*'));
  if (shape.kind === 'either') return keysOf(shape.other, path);
  if (shape.kind === 'scalar') return [path];
  return Object.entries(shape.keys).flatMap(([name, { type }]) => keysOf(type, join(path, name)));
}

test('what is tried here says every key that the fleet shares', () => {
  const said = explainConfig(config)
    .filter(({ origin }) => origin !== 'default')
    .map(({ path }) => path.replaceAll(/\[\d+\]/g, '').replace(/^pools\.\w+/, 'pools.*'))
    .map((path) => path.replace(/(headers(\.set|\.add)?)\.X-\w+$/i, '$1.*'));
  const keys = keysOf(root, '').filter((key) => SHARED.has(key.split('.')[0] ?? ''));
  // What holds for all routes may be said by one of them.
  const saidSomewhere = new Set(said.map((path) => path.replace(/^routes\./, '')));
  expect(keys.length).toBeGreaterThan(200);
  expect(keys.filter((key) => !saidSomewhere.has(key.replace(/^routes\./, '')))).toEqual([]);
});

test('what a file may say has no fault', () => {
  expect(settingFaults(NOTHING, shared)).toEqual([]);
});

test('capitals where requests are compared with small letters are told', () => {
  const [route, ...others] = shared.routes;
  const capitals = { ...shared, routes: [{ ...route!, host: 'Shop.Example.COM' }, ...others] };
  expect(settingFaults(shared, capitals)).toEqual([
    `routes.${route!.id}.host: has to be in small letters: expected shop.example.com, found Shop.Example.COM`,
  ]);
});

/** Where there are numbers in a value. */
function numbersIn(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value === 'number') return [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => numbersIn(inner, [...path, name]));
}

function withNumber(path: readonly string[], number: number): SharedSettings {
  const copy: SharedSettings = structuredClone(shared);
  let at: object = copy;
  for (const name of path.slice(0, -1)) at = Reflect.get(at, name) as object;
  Reflect.set(at, path.at(-1) ?? '', number);
  return copy;
}

test('no number may be anything', () => {
  // What options of a plugin mean only the plugin knows.
  const paths = numbersIn(shared).filter((path) => !path.includes('options'));
  expect(paths.length).toBeGreaterThan(150);
  const free = paths.filter((path) => settingFaults(shared, withNumber(path, 2 ** 53 - 1)).length === 0);
  expect(free).toEqual([]);
  const negative = paths.filter((path) => settingFaults(shared, withNumber(path, -1)).length === 0);
  expect(negative.map((path) => path.join('.'))).toEqual([
    'backends.0.place.latitude',
    'backends.0.place.longitude',
  ]);
});

const pool = (change: object): SharedSettings => ({
  ...shared,
  pools: shared.pools.map((each, index) => (index === 0 ? { ...each, ...change } : each)),
});
const route = (change: object): SharedSettings => ({
  ...shared,
  routes: shared.routes.map((each, index) => (index === 0 ? { ...each, ...change } : each)),
});
const HEALTH = { type: 'tcp', intervalMs: 1000, timeoutMs: 2000, fall: 1, rise: 1 };

test.each([
  ['pools.web.drain', pool({ drainMs: 90_000_000 }), 'pools: { web: { drain: 90000000ms } }'],
  [
    'pools.web.queue.timeout',
    pool({ queue: { max: 1, timeoutMs: 0 } }),
    'pools: { web: { queue: { max: 1, timeout: 0ms } } }',
  ],
  [
    'pools.web.health.timeout',
    pool({ health: HEALTH }),
    'pools: { web: { health: { interval: 1s, timeout: 2s } } }',
  ],
  ['pools.web.strategy', pool({ strategy: 'p2' }), 'pools: { web: { strategy: p2 } }'],
  [
    'pools.web.adaptive_concurrency.min',
    pool({ adaptive: { min: 9, max: 3 } }),
    'pools: { web: { adaptive_concurrency: { min: 9, max: 3 } } }',
  ],
  [
    'limits.header_bytes',
    { ...shared, limits: { ...shared.limits, headerBytes: 1e12 } },
    'limits: { header_bytes: 1000000000000B }',
  ],
  [
    'timeouts.connect',
    { ...shared, timeouts: { ...shared.timeouts, connectMs: 0 } },
    'timeouts: { connect: 0ms }',
  ],
  ['trusted_proxies[0]', { ...shared, trustedProxies: ['10.0.0.1/8'] }, 'trusted_proxies: ["10.0.0.1/8"]'],
])('%s has the fault that it has in a file', (key, wrong, text) => {
  let inFile: readonly string[] = [];
  try {
    parseConfigText(text);
  } catch (error) {
    if (error instanceof ConfigError)
      inFile = error.faults.map(
        ({ path, message, suggestion }) =>
          `${path}: ${message}${suggestion === undefined ? '' : `, did you mean "${suggestion}"?`}`,
      );
  }
  expect(settingFaults(shared, wrong)).toEqual(inFile);
  expect(inFile).toEqual([expect.stringContaining(`${key}: `)]);
});

test.each([
  ['routes.all.path', { path: 'x' }],
  ['routes.all.host', { host: 'a.example:80' }],
  [
    'routes.all.rate_limit.rate',
    { rateLimit: { by: 'ip', requests: 1, perMs: 1, burst: 1, scope: 'local' } },
  ],
  ['routes.all.rewrite.strip', { traffic: { rewrite: { strip: '/a/' } } }],
  ['routes.all.clients.allow[0]', { traffic: { clients: { allow: ['anywhere'], deny: [] } } }],
  [
    'routes.all.security_headers.set-cookie',
    { traffic: { securityHeaders: { headers: { 'set-cookie': 'x' } } } },
  ],
  ['routes.all.api_keys.keys', { traffic: { apiKeys: { header: 'x-key', keys: [] } } }],
  [
    'routes.all.jwt.keys[0].key',
    {
      traffic: {
        jwt: { issuer: 'i', audience: 'a', keys: [{ algorithm: 'EdDSA', key: 'file:/etc/hostname' }] },
      },
    },
  ],
])('a route is faulty at %s', (key, change) => {
  expect(settingFaults(shared, route(change))).toEqual([expect.stringContaining(`${key}: `)]);
});

test.each([
  ['request_headers', { requestHeaders: 'none' }],
  ['clients', { clients: 'none' }],
  ['jwt', { jwt: 'none' }],
] as const)('a word that only routes may say has its fault for all of them: %s', (key, traffic) => {
  expect(settingFaults(shared, { ...shared, traffic })).toEqual([
    expect.stringMatching(`^${key}: expected a map with .*, found text$`),
  ]);
});

const withKey = (key: object) =>
  route({
    traffic: { jwt: { issuer: 'i', audience: 'a', keys: [{ id: 'one', algorithm: 'HS256', ...key }] } },
  });

test('a secret for tokens is a place, as in a file', () => {
  expect(settingFaults(shared, withKey({ reference: 'env:SIGNER' }))).toEqual([]);
  expect(settingFaults(shared, withKey({ reference: 'file:/run/signer' }))).toEqual([]);
  expect(settingFaults(shared, withKey({ reference: 'kf83-ab21-99de-0c7a-kf83-ab21-99de-0c7a' }))).toEqual([
    expect.stringMatching(/^routes\.all\.jwt\.keys\[0\]\.key: a secret is not written out here/),
  ]);
});

test('what was wrong before is no fault of a change, and new faults beside it are', () => {
  const wrong = pool({ drainMs: 1e12 });
  const [first, ...others] = wrong.pools;
  const changed = { ...wrong, pools: [{ ...first!, panic: 0.1 }, ...others] };
  expect(settingFaults(wrong, changed)).toEqual([]);
  const worse = { ...wrong, pools: [{ ...first!, reserveIdleMs: 1 }, ...others] };
  expect(settingFaults(wrong, worse)).toEqual([expect.stringMatching(/^pools\.web\.reserve_idle: /)]);
});

test('a backend is looked at alone', () => {
  const backend = { id: 'b', pool: 'web', url: 'http://10.0.0.1', weight: 1 };
  expect(backendFaults(undefined, backend)).toEqual([]);
  expect(backendFaults(undefined, { ...backend, weight: -1, zone: '?' })).toEqual([
    'backends.b.weight: expected a number from 0 to 1000, found -1',
    expect.stringMatching(/^backends\.b\.zone: /),
  ]);
  expect(backendFaults({ ...backend, weight: -1 }, { ...backend, weight: -1, zone: 'z' })).toEqual([]);
});
