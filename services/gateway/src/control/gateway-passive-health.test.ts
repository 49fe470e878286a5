import type { RequestListener } from 'node:http';
import { connect } from 'node:net';
import type { PassiveSettings } from '@usher/domain';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startGateway } from '../index.ts';
import { policy, pool, route } from '../testing/fixtures.ts';
import { backendAt, TestFleet } from '../testing/fleet.ts';
import { ask, startBackend, until } from '../testing/http.ts';

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

const passive: PassiveSettings = {
  enabled: true,
  consecutive: 5,
  failureRate: 0.5,
  windowMs: 10_000,
  requestsMin: 20,
  ejectForMs: 60_000,
  maxEjected: 0.5,
};
const breaker = { ...pool().breaker, enabled: false };
const routes = [
  route({ id: 'zip', path: '/zip/*', pool: 'web', plugins: [{ name: 'gzip', options: {} }] }),
  route({ id: 'all', path: '/*', pool: 'web' }),
];
const LANES = [
  ['wire', '/x'],
  ['plugin', '/zip/x'],
] as const;

const sick = (backend: string) => ({
  type: 'backend.became_unhealthy' as const,
  subject: backend,
  data: { backend, cause: 'test' },
});

/** A gateway over backends that answer by their names, or as they are told to. */
async function gatewayOver(
  handlers: Readonly<Record<string, RequestListener | undefined>>,
  settings: Parameters<typeof pool>[0] = {},
  debugToken?: string,
): Promise<number> {
  const backends = [];
  for (const [id, handle] of Object.entries(handlers)) {
    const backend = await startBackend(id, handle);
    closing.push(() => backend.close());
    backends.push(backendAt(id, backend.url));
  }
  const limits = { ...policy().limits, requestBodyBytes: 1000 };
  const pools = [pool({ passive, breaker, ...settings })];
  await fleet.configure(backends, { pools, routes, limits });
  const fallback = { ...policy({ routes, limits }), pools: [], backends: [] };
  const listen = [{ host: '127.0.0.1', port: 0 }];
  const gateway = await startGateway(fleet.context(), { listen, workers: 2, debugToken }, fallback);
  closing.push(() => gateway.stop());
  return gateway.addresses[0]!.port;
}

const broken: RequestListener = (_request, response) => response.writeHead(500).end();

async function statuses(port: number, path: string, count: number): Promise<number[]> {
  const answers: number[] = [];
  for (let each = 0; each < count; each++) answers.push((await ask(port, { path })).status);
  return answers;
}

describe.each(LANES)('in the %s lane', (_lane, path) => {
  test('a backend that fails is ejected in all workers, and metrics and events say so', async () => {
    const port = await gatewayOver({ good: undefined, fine: undefined, bad: broken });
    await until(async () => {
      await ask(port, { path });
      return fleet.seen('backend.ejected').length === 1;
    }, 'the bad one is ejected');
    expect(fleet.seen('backend.ejected')[0]?.data).toMatchObject({
      backend: 'bad',
      gateway: 'gw-1',
      cause: 'in_a_row',
      times: 1,
    });
    expect([...fleet.fold.state.backends.get('bad')!.ejectedBy.keys()]).toEqual(['gw-1']);
    await until(async () => (await statuses(port, path, 40)).every((status) => status === 200), 'all know');
    expect(await fleet.metrics.sum('usher_backend_ejected', { backend: 'bad' })).toBe(1);
    expect(await fleet.metrics.sum('usher_backend_ejections_total')).toBe(1);
  });

  test('a backend is readmitted as soon as its probes succeed again', async () => {
    let well = false;
    const port = await gatewayOver({
      good: undefined,
      fine: undefined,
      bad: (request, response) => (well ? response.end('bad') : broken(request, response)),
    });
    await until(async () => {
      await ask(port, { path });
      return fleet.seen('backend.ejected').length === 1;
    }, 'it is ejected');
    well = true;
    await fleet.append({
      type: 'backend.became_healthy',
      subject: 'bad',
      data: { backend: 'bad', cause: '' },
    });
    await until(async () => (await ask(port, { path })).text === 'bad', 'it serves again');
    expect(fleet.seen('backend.readmitted')).toHaveLength(1);
  });

  test('clients that leave, and requests that are too large, eject nobody', async () => {
    let reached = 0;
    const silent: RequestListener = () => {
      reached += 1;
    };
    const port = await gatewayOver({ slow: silent, mute: silent, calm: silent });
    const size = 2_000;
    for (let each = 0; each < 12; each++) {
      expect((await ask(port, { path, method: 'POST', body: 'x'.repeat(size) })).status).toBe(413);
    }
    reached = 0;
    const sockets = Array.from({ length: 30 }, () => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
      return socket;
    });
    await until(() => reached === 30, 'the backends have all requests');
    for (const socket of sockets) socket.destroy();
    const ended = () => fleet.metrics.sum('usher_backend_requests_total');
    await until(async () => (await ended()) >= 30, 'the gateway has given them up');
    expect(fleet.seen('backend.ejected')).toEqual([]);
    expect(await fleet.metrics.sum('usher_backend_requests_total', { outcome: 'failed' })).toBe(0);
  });

  test('a pool in panic says so to everybody who has to know, and in answers to nobody else', async () => {
    const port = await gatewayOver({ a: undefined, b: undefined, c: undefined }, { panic: 0.5 }, 'secret');
    await fleet.append(sick('b'), sick('c'));
    await until(() => fleet.seen('pool.panicked').length === 1, 'the log knows');
    expect(fleet.seen('pool.panicked')[0]?.data).toEqual({
      pool: 'web',
      gateway: 'gw-1',
      eligible: 1,
      backends: 3,
    });
    expect([...fleet.fold.state.pools.get('web')!.panicBy.keys()]).toEqual(['gw-1']);
    expect(await fleet.metrics.sum('usher_pool_panic', { pool: 'web' })).toBe(1);
    expect(fleet.log.entries).toContainEqual(
      expect.objectContaining({ level: 'error', message: expect.stringMatching(/in panic/) }),
    );
    const seen = new Set<string>();
    for (let each = 0; each < 30; each++) seen.add((await ask(port, { path })).text);
    expect([...seen].toSorted()).toEqual(['a', 'b', 'c']);
    const told = async (headers: Record<string, string>) =>
      (await ask(port, { path, headers })).headers['x-usher-panic'];
    expect(await told({ 'x-usher-debug': 'secret' })).toBe('1/3');
    expect(await told({ 'x-usher-debug': 'Secret' })).toBeUndefined();
    expect(await told({})).toBeUndefined();
    await fleet.append({ type: 'backend.became_healthy', subject: 'b', data: { backend: 'b', cause: '' } });
    await until(() => fleet.seen('pool.calmed').length === 1, 'it is over');
    expect(await told({ 'x-usher-debug': 'secret' })).toBeUndefined();
  });
});
