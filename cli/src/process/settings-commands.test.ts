import type { Problem, SharedSettings } from '@usher/domain';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestFleet } from './test-fleet.ts';

let fleet: TestFleet;
beforeEach(async () => {
  fleet = await TestFleet.start();
});
afterEach(async () => await fleet.stop());

interface Config {
  readonly revision: number;
  readonly config: SharedSettings;
}

const config = async () => (await fleet.ask<Config>('GET', '/v1/config')).body;

/** A backend that had gone already comes back as the last one, which makes no difference. */
function inOrder({ backends, ...others }: SharedSettings): SharedSettings {
  return { ...others, backends: backends.toSorted((one, other) => one.id.localeCompare(other.id)) };
}

/** The types of the events that a command led to. */
async function does(method: string, path: string, body?: unknown): Promise<readonly string[]> {
  const answer = await fleet.ask<{ events: string[] } & Problem>(method, path, body);
  expect(answer.body.detail).toBeUndefined();
  return answer.body.events;
}

async function refusal(method: string, path: string, body?: unknown): Promise<Problem> {
  const before = await config();
  const { body: problem } = await fleet.ask<Problem>(method, path, body);
  expect(await config()).toEqual(before);
  return problem;
}

test('a pool is added with every default, changed, and taken away when nothing uses it', async () => {
  expect(await does('POST', '/v1/pools', { id: 'api', drainMs: 5 })).toEqual(['pool.added']);
  const added = (await config()).config.pools.find(({ id }) => id === 'api');
  expect(added).toMatchObject({ strategy: 'p2c', drainMs: 5, breaker: { failures: 5 } });
  const queue = { max: 3, timeoutMs: 10 };
  expect(await does('PATCH', '/v1/pools/api', { queue, hash: null })).toEqual(['pool.updated']);
  expect(await does('PATCH', '/v1/pools/api', { queue })).toEqual([]);
  const changed = (await config()).config.pools.find(({ id }) => id === 'api');
  expect(changed).toEqual({ ...added, queue, hash: undefined });
  expect(await does('DELETE', '/v1/pools/api')).toEqual(['pool.removed']);
});

test('tiers of a pool are set as a whole, and routes go by them', async () => {
  const resources = { milliCpu: 1, memoryBytes: 1, storageBytes: 0, gpus: 0, gpuMemoryBytes: 0 };
  const tiers = [{ name: 'small', resources }];
  expect(await does('PUT', '/v1/pools/web/tiers', { tiers })).toEqual(['pool.updated']);
  const route = { id: 'tiered', path: '/t/*', pool: 'web', tier: { fieldBytesMax: 1, default: 'small' } };
  expect(await does('POST', '/v1/routes', route)).toEqual(['route.added']);
  expect(await refusal('PUT', '/v1/pools/web/tiers', { tiers: [] })).toMatchObject({
    code: 'invalid_input',
    detail: expect.stringContaining('routes.tiered'),
  });
});

test('routes are added, changed and taken away', async () => {
  expect(await does('POST', '/v1/routes', { id: 'r', path: '/r/*', pool: 'web' })).toEqual(['route.added']);
  expect(await does('PATCH', '/v1/routes/r', { host: 'a.example', priority: 'critical' })).toEqual([
    'route.updated',
  ]);
  expect((await config()).config.routes.at(-1)).toEqual({
    id: 'r',
    path: '/r/*',
    pool: 'web',
    host: 'a.example',
    plugins: [],
    websocket: true,
    priority: 'critical',
  });
  expect(await does('DELETE', '/v1/routes/r')).toEqual(['route.removed']);
  expect((await config()).config.routes.map(({ id }) => id)).toEqual(['all']);
});

test('a route without a pool is added only if it sends everybody elsewhere, and stays so', async () => {
  expect(await refusal('POST', '/v1/routes', { id: 'old', path: '/old/*' })).toMatchObject({
    code: 'invalid_input',
    detail: expect.stringContaining('routes.old.pool: required'),
  });
  const traffic = { redirect: { status: 301, to: 'https://new.example{path}' } };
  expect(await does('POST', '/v1/routes', { id: 'old', path: '/old/*', traffic })).toEqual(['route.added']);
  expect((await config()).config.routes.at(-1)).toMatchObject({ id: 'old', traffic });
  expect((await config()).config.routes.at(-1)).not.toHaveProperty('pool');
  expect(await refusal('PATCH', '/v1/routes/old', { traffic: { redirect: 'https' } })).toMatchObject({
    code: 'invalid_input',
  });
});

const split = (share: number) => ({ split: { pools: [{ pool: 'next', share }] } });

test('the shares of a route change, and a pool stays as long as it has one', async () => {
  await does('POST', '/v1/pools', { id: 'next' });
  for (const share of [0.05, 0.5])
    expect(await does('PATCH', '/v1/routes/all', split(share))).toEqual(['route.updated']);
  expect((await config()).config.routes[0]).toMatchObject({ pool: 'web', ...split(0.5) });
  expect(await refusal('DELETE', '/v1/pools/next')).toMatchObject({ code: 'conflict' });
  const canaries = [{ by: 'cookie', name: 'beta', pool: 'none' }];
  for (const [change, why] of [
    [split(1.5), 'split'],
    [{ canaries }, 'there is no pool none'],
  ] as const)
    expect(await refusal('PATCH', '/v1/routes/all', change)).toMatchObject({
      code: 'invalid_input',
      detail: expect.stringContaining(why),
    });
  const mirror = { pool: 'next', share: 1 };
  await does('PATCH', '/v1/routes/all', { split: null, mirror });
  expect(await refusal('DELETE', '/v1/pools/next')).toMatchObject({ code: 'conflict' });
  await does('PATCH', '/v1/routes/all', { mirror: null });
  expect(await does('DELETE', '/v1/pools/next')).toEqual(['pool.removed']);
});

test('limits change one by one', async () => {
  const { limits } = (await config()).config;
  expect(await does('PATCH', '/v1/limits', { connections: 7 })).toEqual(['limits.updated']);
  expect((await config()).config.limits).toEqual({ ...limits, connections: 7 });
});

test.each([
  ['POST', '/v1/pools', { id: 'web' }, 'conflict'],
  ['POST', '/v1/pools', { id: 'n', drainMs: -1 }, 'invalid_input'],
  ['POST', '/v1/pools', { id: 'n', reserve: 'request' }, 'invalid_input'],
  ['POST', '/v1/pools', { id: 'n', strategy: 'custom', strategyFile: '/tmp/evil.js' }, 'forbidden'],
  ['PATCH', '/v1/pools/none', { drainMs: 1 }, 'not_found'],
  ['PATCH', '/v1/pools/web', { health: null }, 'invalid_input'],
  ['PATCH', '/v1/pools/web', { colour: 'red' }, 'invalid_input'],
  ['DELETE', '/v1/pools/web', undefined, 'conflict'],
  ['DELETE', '/v1/pools/none', undefined, 'not_found'],
  ['POST', '/v1/routes', { id: 'all', path: '/x', pool: 'web' }, 'conflict'],
  ['POST', '/v1/routes', { id: 'n', path: '/*', pool: 'web' }, 'invalid_input'],
  ['POST', '/v1/routes', { id: 'n', path: 'x', pool: 'web' }, 'invalid_input'],
  ['POST', '/v1/routes', { id: 'n', path: '/x', pool: 'none' }, 'invalid_input'],
  [
    'POST',
    '/v1/routes',
    { id: 'n', path: '/x', pool: 'web', plugins: [{ name: 'p', file: '/tmp/evil.js', options: {} }] },
    'forbidden',
  ],
  ['PATCH', '/v1/routes/none', { path: '/x' }, 'not_found'],
  ['DELETE', '/v1/routes/none', undefined, 'not_found'],
  ['PATCH', '/v1/limits', { connections: 'many' }, 'invalid_input'],
  ['POST', '/v1/config/revert', { to: 999_999 }, 'not_found'],
  ['POST', '/v1/config/revert', { to: 0 }, 'not_found'],
  ['PUT', '/v1/config', { pools: [] }, 'invalid_input'],
  ['POST', '/v1/breakers/none/reset', undefined, 'not_found'],
])('%s %s %j is refused with %s and changes nothing', async (method, path, body, code) => {
  expect(await refusal(method, path, body)).toMatchObject({ code });
});

test.each([
  { name: 'p', file: '../evil.js' },
  { name: 'p', file: '/data/plugins/../evil.js' },
  { name: 'p', file: 'evil.js\0.ts' },
  { name: 'p', file: '' },
  { name: '../evil' },
  { name: '/tmp/evil.js' },
  { name: 'compression\0' },
  { name: 'constructor' },
])('no command brings in the plugin %j', async (plugin) => {
  const plugins = [{ ...plugin, options: {} }];
  const refused = await refusal('POST', '/v1/routes', { id: 'n', path: '/x', pool: 'web', plugins });
  expect(refused).toMatchObject({ code: 'file' in plugin ? 'forbidden' : 'invalid_input' });
});

test('a whole configuration is applied, and again only what commands have changed since', async () => {
  const { config: before } = await config();
  const wanted = {
    ...before,
    limits: { ...before.limits, upgrades: 9 },
    backends: before.backends.slice(0, 1),
  };
  expect(await does('PUT', '/v1/config', wanted)).toEqual(['config.applied', 'backend.drain_started']);
  expect((await config()).config).toEqual(wanted);
  expect(await does('PUT', '/v1/config', wanted)).toEqual([]);
  await does('PATCH', '/v1/backends/a', { weight: 9 });
  expect(await does('PUT', '/v1/config', wanted)).toEqual(['config.applied', 'backend.updated']);
  expect((await config()).config).toEqual(wanted);
});

test('what commands added stays when another configuration is applied', async () => {
  const { config: before } = await config();
  await does('POST', '/v1/pools', { id: 'mine' });
  await does('POST', '/v1/routes', { id: 'mine', path: '/mine', pool: 'mine' });
  await does('PUT', '/v1/config', { ...before, limits: { ...before.limits, upgrades: 9 } });
  const after = (await config()).config;
  expect(after.pools.map(({ id }) => id)).toEqual(['web', 'mine']);
  expect(after.routes.map(({ id }) => id)).toEqual(['all', 'mine']);
});

test('a revert makes the configuration equal to an old one, whatever was changed since', async () => {
  const first = await config();
  await does('POST', '/v1/pools', { id: 'mine' });
  await does('POST', '/v1/routes', { id: 'mine', path: '/mine', pool: 'mine' });
  await does('POST', '/v1/backends', { id: 'm', pool: 'mine', url: 'http://10.0.0.7:80' });
  await does('PATCH', '/v1/pools/web', { strategy: 'maglev' });
  await does('PATCH', '/v1/limits', { connections: 3 });
  const second = await config();
  await does('PATCH', '/v1/backends/a', { weight: 5, url: 'http://10.0.0.8:80' });
  await does('DELETE', '/v1/backends/b');
  await does('POST', '/v1/config/revert', { to: second.revision });
  const again = await config();
  expect(inOrder(again.config)).toEqual(inOrder(second.config));
  expect(again.revision).toBeGreaterThan(second.revision);
  await does('POST', '/v1/config/revert', { to: first.revision });
  expect(inOrder((await config()).config)).toEqual(inOrder(first.config));
  expect(await does('POST', '/v1/config/revert', { to: first.revision })).toEqual([]);
});

test('a configuration is compared with the one in force, and nothing changes by it', async () => {
  const { config: before } = await config();
  const wanted = { ...before, routes: [], limits: { ...before.limits, upgrades: 9 } };
  const answer = await fleet.ask<{ changes: unknown }>('POST', '/v1/config/diff', wanted);
  expect(answer.body.changes).toEqual([
    { path: 'limits.upgrades', before: before.limits.upgrades, after: 9 },
    { path: 'routes.all', before: before.routes[0] },
  ]);
  expect((await config()).config).toEqual(before);
});
