import type { PoolSettings, Problem, SharedSettings } from '@usher/domain';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestFleet } from './test-fleet.ts';

/** Two pools whose backends may be in networks of their own, and a file's own word for everything that only files may say. */
const file = ({ networks = '10.0.0.0/8', plugin = 'plugins: [{ name: p, file: ./p.js }]' } = {}) => `
logging: { level: error }
pools:
  web:
    health: { type: none }
    targets: [${networks}]
    strategy: custom
    strategy_file: ./mine.js
    backends: [{ id: a, url: "http://10.0.0.1:80" }, { id: near, url: "http://127.0.0.1:9" }]
  api:
    health: { type: none }
    targets: [192.168.0.0/16, api.example]
    sticky: { by: cookie, keys: ["env:COOKIE_KEY"] }
    discovery: { dns: "http://api.example:80", servers: ["127.0.0.1:9"] }
routes:
  - { id: all, path: "/*", pool: web, ${plugin} }
`;

let fleet: TestFleet;
beforeEach(async () => {
  fleet = await TestFleet.start(file(), {
    files: ['mine.js', 'p.js'],
    env: { COOKIE_KEY: 'k'.repeat(32) },
  });
});
afterEach(async () => await fleet.stop());

interface Answer extends Problem {
  readonly revision: number;
  readonly config: SharedSettings;
}

const ask = async (method: string, path: string, body?: unknown) =>
  (await fleet.ask<Answer>(method, path, body)).body;
const config = async () => (await ask('GET', '/v1/config')).config;
const pool = async (id: string) => (await config()).pools.find((each) => each.id === id);

const DNS = { by: 'dns', name: 'n.example', port: 80, tls: false, refreshMinMs: 1000, refreshMaxMs: 2000 };
const COOKIE = {
  by: 'cookie',
  name: 'u',
  path: '/',
  sameSite: 'lax',
  secure: 'auto',
  ttlMs: 9,
  idleMs: 9,
  affinity: true,
};
const TLS = { verify: true };
const FILE_ONLY: readonly (readonly [string, object])[] = [
  ['pools.web.strategyFile', { strategyFile: '/tmp/other.js' }],
  ['pools.web.tls.ca', { tls: { ...TLS, ca: '/etc/passwd' } }],
  ['pools.web.tls.key', { tls: { ...TLS, cert: '/etc/passwd', key: '/etc/shadow' } }],
  ['pools.web.discovery.file', { discovery: { by: 'file', file: '/etc/passwd' } }],
  ['pools.web.discovery.servers', { discovery: { ...DNS, servers: ['10.0.0.66:53'] } }],
  ['pools.web.sticky.keys', { sticky: { ...COOKIE, keys: ['file:/etc/hostname'] } }],
  ['pools.web.targets', { targets: { networks: ['0.0.0.0/0'], names: [] } }],
  ['pools.web.targets', { targets: null }],
];

test.each(FILE_ONLY)('only a file may say %s: %j', async (what, changes) => {
  const before = await config();
  expect(await ask('PATCH', '/v1/pools/web', changes)).toMatchObject({
    code: 'forbidden',
    detail: expect.stringContaining(what),
  });
  const pools = before.pools.map((each) => (each.id === 'web' ? { ...each, ...changes } : each));
  if (!Object.values(changes).includes(null))
    expect(await ask('PUT', '/v1/config', { ...before, pools })).toMatchObject({ code: 'forbidden' });
  expect(await config()).toEqual(before);
});

test('only a file may say where keys for tokens are published', async () => {
  const jwt = { issuer: 'i', audience: 'a', keys: [], jwks: { url: 'http://169.254.169.254/keys' } };
  const detail = expect.stringContaining('jwt.jwks http://169.254.169.254/keys');
  const refusal = { code: 'forbidden', detail };
  const before = await config();
  expect(await ask('PATCH', '/v1/routes/all', { traffic: { jwt } })).toMatchObject(refusal);
  expect(await ask('PUT', '/v1/config', { ...before, traffic: { jwt } })).toMatchObject(refusal);
  expect(await config()).toEqual(before);
});

test.each(['env:COOKIE_KEY', 'file:/etc/machine-id'])(
  'only a file may say where secrets for tokens are, for instance at %s',
  async (reference) => {
    const jwt = { issuer: 'i', audience: 'a', keys: [{ algorithm: 'HS256', reference }] };
    const refusal = { code: 'forbidden', detail: expect.stringContaining(`jwt.keys ${reference}`) };
    const before = await config();
    expect(await ask('PATCH', '/v1/routes/all', { traffic: { jwt } })).toMatchObject(refusal);
    expect(await ask('PUT', '/v1/config', { ...before, traffic: { jwt } })).toMatchObject(refusal);
    expect(await config()).toEqual(before);
  },
);

test('a secret for tokens itself is in no command, and not quoted when it is', async () => {
  const keys = [{ algorithm: 'HS256', reference: 'kf83-ab21-99de-0c7a-kf83-ab21-99de-0c7a' }];
  const jwt = { issuer: 'i', audience: 'a', keys };
  const answer = await ask('PATCH', '/v1/routes/all', { traffic: { jwt } });
  expect(answer).toMatchObject({ code: 'invalid_input' });
  expect(JSON.stringify(answer)).not.toContain('kf83');
});

test('what a file has said a command may say again elsewhere, without options of its own for code', async () => {
  const { routes, pools } = await config();
  const discovery = pools.find(({ id }) => id === 'api')?.discovery;
  expect(await ask('PATCH', '/v1/pools/web', { discovery })).toMatchObject({ repeated: false });
  const plugins = routes[0]?.plugins;
  expect(await ask('POST', '/v1/routes', { id: 'r', path: '/r', pool: 'web', plugins })).toMatchObject({
    repeated: false,
  });
  const other = plugins?.map((plugin) => ({ ...plugin, options: { root: '/etc' } }));
  expect(await ask('PATCH', '/v1/routes/all', { plugins: other })).toMatchObject({ code: 'forbidden' });
});

test('a pool that a command adds has its backends where some pool may have them', async () => {
  expect(await ask('POST', '/v1/pools', { id: 'mine' })).toMatchObject({ repeated: false });
  expect((await pool('mine'))?.targets).toEqual({
    networks: ['10.0.0.0/8', '192.168.0.0/16'],
    names: ['api.example'],
  });
  const add = async (id: string, url: string) => await ask('POST', '/v1/backends', { id, pool: 'mine', url });
  expect(await add('m', 'http://192.168.0.1:80')).toMatchObject({ repeated: false });
  expect(await add('n', 'http://127.0.0.1:9091')).toMatchObject({ code: 'forbidden' });
  const targets = { networks: ['127.0.0.0/8'], names: [] };
  expect(await ask('POST', '/v1/pools', { id: 'wide', targets })).toMatchObject({ code: 'forbidden' });
});

test('a whole configuration puts no backend where none may be, and leaves those of the file where they are', async () => {
  const before = await config();
  const apply = async (change: (each: PoolSettings) => PoolSettings, url: string) =>
    await ask('PUT', '/v1/config', {
      ...before,
      pools: before.pools.map(change),
      backends: [...before.backends, { id: 'n', pool: 'web', url, weight: 1 }],
    });
  expect(await apply((each) => each, 'http://127.0.0.1:9091')).toMatchObject({
    code: 'forbidden',
    detail: expect.stringContaining('backends.n at http://127.0.0.1:9091'),
  });
  expect(await config()).toEqual(before);
  expect(await apply(({ targets: _targets, ...rest }) => rest, 'http://10.0.0.9:80')).toMatchObject({
    repeated: false,
  });
  expect((await config()).pools).toEqual(before.pools);
});

test('the last pool does not go with what the file says of targets', async () => {
  const before = await config();
  const none = { ...before, pools: [], backends: [], routes: [] };
  expect(await ask('PUT', '/v1/config', none)).toMatchObject({ code: 'forbidden' });
});

test('a revert brings back what a command took away, and nothing that the file has taken away since', async () => {
  const { revision } = await ask('GET', '/v1/config');
  await ask('PATCH', '/v1/routes/all', { plugins: [] });
  await ask('PATCH', '/v1/pools/web', { strategy: 'p2c', strategyFile: null });
  expect(await ask('POST', '/v1/config/revert', { to: revision })).toMatchObject({ repeated: false });
  expect((await config()).routes[0]?.plugins).toHaveLength(1);
  await fleet.edit(file({ plugin: 'websocket: false' }));
  expect(await ask('POST', '/v1/config/revert', { to: revision })).toMatchObject({
    code: 'forbidden',
    detail: expect.stringContaining('p.js'),
  });
  await fleet.edit(file({ networks: '10.0.0.0/16' }));
  expect(await ask('POST', '/v1/config/revert', { to: revision })).toMatchObject({
    code: 'forbidden',
    detail: expect.stringContaining('pools.web.targets'),
  });
  await fleet.edit(file());
  expect(await ask('POST', '/v1/config/revert', { to: revision })).toMatchObject({ repeated: false });
});
