import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { makeCertificate, tempDir } from '@usher/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startGateway } from '../index.ts';
import { policy, pool, route } from '../testing/fixtures.ts';
import { backendAt, registered, TestFleet } from '../testing/fleet.ts';
import { ask, listen, startBackend, until } from '../testing/http.ts';
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
const fallback = { ...policy({ routes }), pools: [], backends: [] };

async function gateway(resolver: Resolver): Promise<number> {
  const settings = { listen: [{ host: '127.0.0.1', port: 0 }], workers: 2 };
  const started = await startGateway(fleet.context(), settings, fallback, { resolver });
  closing.push(() => started.stop());
  return started.addresses[0]!.port;
}

test('a name that does not resolve keeps nothing from starting, and its backend comes up by itself', async () => {
  const backend = await startBackend('one');
  closing.push(() => backend.close());
  const names = new Map<string, string[]>();
  const resolver: Resolver = {
    async lookup(host) {
      const found = names.get(host);
      if (found === undefined) throw new Error(`getaddrinfo ENOTFOUND ${host}`);
      return found;
    },
  };
  const url = backend.url.replace('127.0.0.1', 'one.test');
  await fleet.configure([backendAt('b1', url)], { routes });
  const port = await gateway(resolver);
  expect((await ask(port)).status).toBe(503);
  expect(await fleet.metrics.read('usher_host_addresses')).toEqual([
    { labels: { host: 'one.test' }, value: 0 },
  ]);
  const warnings = fleet.log.entries.filter(({ message }) => message.includes('does not resolve'));
  expect(warnings).toMatchObject([{ level: 'warn', fields: { host: 'one.test' } }]);
  names.set('one.test', ['127.0.0.1']);
  await until(async () => (await ask(port)).text === 'one', 'the wire lane serves');
  expect((await ask(port, { path: '/zip/x' })).text).toBe('one');
});

test('both lanes speak TLS with the files of the pool, and take up files that change', async () => {
  const folder = tempDir();
  const authority = makeCertificate({ commonName: 'authority', authority: true });
  const { cert, key } = makeCertificate({ names: ['one.test'], issuer: authority });
  const server = createServer({ cert, key }, (_request, response) => void response.end('secure'));
  const url = `https://one.test:${await listen(server)}`;
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const ca = join(folder.path, 'ca.pem');
  writeFileSync(ca, makeCertificate().cert);
  const { breaker } = pool();
  const settings = pool({ tls: { verify: true, ca }, breaker: { ...breaker, enabled: false } });
  await fleet.configure([backendAt('b1', url)], { routes, pools: [settings] });
  const port = await gateway({ lookup: async () => ['127.0.0.1'] });
  for (const path of ['/x', '/zip/x']) expect((await ask(port, { path })).status).toBe(502);
  const failures = { backend: 'b1', pool: 'web', cause: 'tls' };
  expect(await fleet.metrics.sum('usher_backend_connect_failures_total', failures)).toBe(2);
  writeFileSync(ca, authority.cert);
  await until(async () => (await ask(port)).status === 200, 'the new file is in force');
  for (const path of ['/x', '/zip/x']) expect((await ask(port, { path })).text).toBe('secure');
});

test.each(['agent', 'command'] as const)(
  'a name of a backend by %s leads only where backends may be, in both lanes',
  async (origin) => {
    const backend = await startBackend('one');
    closing.push(() => backend.close());
    const url = backend.url.replace('127.0.0.1', 'one.test');
    await fleet.configure([], { routes, pools: [pool({ agents: true })] });
    await fleet.append(registered(backendAt('b1', url), origin));
    // This machine by another name, which is forbidden and yet would be reached.
    const port = await gateway({ lookup: async () => ['0.0.0.0'] });
    for (const path of ['/x', '/zip/x']) expect((await ask(port, { path })).text).toContain('no_backend');
    const targets = { networks: ['0.0.0.0/8'], names: ['one.test'] };
    const meant = pool({ agents: true, targets });
    await fleet.append({ type: 'pool.updated', subject: 'web', data: { settings: meant } });
    await until(async () => (await ask(port)).text === 'one', 'the targets count');
    for (const path of ['/x', '/zip/x']) expect((await ask(port, { path })).text).toBe('one');
    await fleet.append({ type: 'pool.updated', subject: 'web', data: { settings: pool({ agents: true }) } });
    await until(async () => (await ask(port)).status === 503, 'they do not any more');
    const data = { settings: backendAt('b1', url), origin: 'config' } as const;
    await fleet.append({ type: 'backend.updated', subject: 'b1', data });
    await until(async () => (await ask(port)).text === 'one', 'the file vouches for it');
  },
);
