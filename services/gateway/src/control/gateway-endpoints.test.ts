import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startGateway } from '../index.ts';
import { policy, pool, route } from '../testing/fixtures.ts';
import { backendAt, TestFleet } from '../testing/fleet.ts';
import { ask, type Backend, oneConnection, startBackend, until } from '../testing/http.ts';
import type { Resolver } from './resolver.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

let fleet: TestFleet;
const closing: (() => unknown)[] = [];

beforeEach(() => {
  fleet = new TestFleet();
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  await fleet.close();
});

const routes = [
  route({ id: 'zip', path: '/zip/*', pool: 'web', plugins: [{ name: 'gzip', options: {} }] }),
  route({ id: 'all', path: '/*', pool: 'web' }),
];

async function start(name: string): Promise<Backend> {
  const backend = await startBackend(name);
  closing.push(() => backend.close());
  return backend;
}

async function gateway(resolver?: Resolver): Promise<number> {
  const settings = { listen: [{ host: '127.0.0.1', port: 0 }], workers: 2 };
  const fallback = { ...policy({ routes }), pools: [], backends: [] };
  const started = await startGateway(fleet.context(), settings, fallback, resolver && { resolver });
  closing.push(() => started.stop());
  return started.addresses[0]!.port;
}

test('a backend is reached at the endpoint for the path, in both lanes, and counts as one backend', async () => {
  const [main, api, images] = [await start('main'), await start('api'), await start('images')];
  const endpoints = [
    { path: '/*.png', url: images.url },
    { path: '/api/*', url: api.url },
    { path: '/zip/api/*', url: api.url },
    { path: '/api/logo.png', url: images.url },
  ];
  await fleet.configure([backendAt('b1', main.url, { endpoints })], { routes });
  const port = await gateway();
  const agent = oneConnection();
  closing.push(() => agent.destroy());
  const wanted = {
    '/': 'main',
    '/api': 'api',
    '/api/x?y=/z.png': 'api',
    '/apix': 'main',
    '/x/y.png': 'images',
    '/x/y.png/z': 'main',
    '/api/y.png': 'api',
    '/api/logo.png?v=1': 'images',
    '/zip/x': 'main',
    '/zip/api/x': 'api',
  };
  for (const [path, name] of Object.entries(wanted)) {
    // One connection that goes on, and one of its own that either worker may get.
    expect((await ask(port, { path, agent })).text, path).toBe(name);
    expect((await ask(port, { path })).text, path).toBe(name);
  }
  expect(images.seen.map(({ url }) => url)).toContain('/api/logo.png?v=1');
  const served = { backend: 'b1', outcome: 'ok' };
  const requests = () => fleet.metrics.sum('usher_backend_requests_total', served);
  await until(async () => (await requests()) === 2 * Object.keys(wanted).length, 'all are counted for b1');
});

test('other endpoints count from the next request on', async () => {
  const [main, api] = [await start('main'), await start('api')];
  await fleet.configure([backendAt('b1', main.url)], { routes });
  const port = await gateway();
  const settings = backendAt('b1', main.url, { endpoints: [{ path: '/api/*', url: api.url }] });
  expect((await ask(port, { path: '/api' })).text).toBe('main');
  await fleet.append({ type: 'backend.updated', subject: 'b1', data: { settings } });
  await until(async () => (await ask(port, { path: '/api' })).text === 'api', 'the endpoint is in use');
  const without = { settings: backendAt('b1', main.url) };
  await fleet.append({ type: 'backend.updated', subject: 'b1', data: without });
  await until(async () => (await ask(port, { path: '/api' })).text === 'main', 'it is not any more');
});

test('a backend gets requests when the host names of all of its endpoints resolve', async () => {
  const [main, api] = [await start('main'), await start('api')];
  const names = new Set(['main.test']);
  const resolver: Resolver = {
    async lookup(host) {
      if (!names.has(host)) throw new Error(`getaddrinfo ENOTFOUND ${host}`);
      return ['127.0.0.1'];
    },
  };
  const endpoints = [{ path: '/api/*', url: api.url.replace('127.0.0.1', 'api.test') }];
  const named = backendAt('b1', main.url.replace('127.0.0.1', 'main.test'), { endpoints });
  await fleet.configure([named], { routes });
  const port = await gateway(resolver);
  expect((await ask(port)).status).toBe(503);
  names.add('api.test');
  await until(async () => (await ask(port)).text === 'main', 'the name resolves');
  expect((await ask(port, { path: '/api/x' })).text).toBe('api');
});

test('a backend whose endpoint cannot be used is left out, and the others serve', async () => {
  const [main, other] = [await start('main'), await start('other')];
  const endpoints = [{ path: '/api/*', url: 'gopher://10.0.0.1' }];
  await fleet.configure([backendAt('b1', main.url, { endpoints }), backendAt('b2', other.url)], {
    routes,
    pools: [pool({ retry: { attempts: 0, budgetRatio: 0 } })],
  });
  const port = await gateway();
  for (let round = 0; round < 4; round++) expect((await ask(port)).text).toBe('other');
  const warning = fleet.log.entries.find(({ message }) => message === 'a backend cannot be used');
  expect(warning).toMatchObject({ fields: { backend: 'b1', url: 'gopher://10.0.0.1' } });
});
