import type { RequestListener } from 'node:http';
import { createServer } from 'node:net';
import type { SharedSettings } from '@usher/domain';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startGateway } from '../index.ts';
import { policy, pool, route } from '../testing/fixtures.ts';
import { backendAt, registered, TestFleet } from '../testing/fleet.ts';
import { ask, listen, oneConnection, startBackend, until } from '../testing/http.ts';

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

async function backend(name: string, handle?: RequestListener) {
  const started = await startBackend(name, handle);
  closing.push(() => started.close());
  return started;
}

const NOTHING: SharedSettings = { ...policy(), pools: [pool()], backends: [] };
const LOOPBACK = [{ host: '127.0.0.1', port: 0 }];

async function gateway(fallback = NOTHING, workers = 1) {
  const started = await startGateway(fleet.context(), { listen: LOOPBACK, workers }, fallback);
  closing.push(() => started.stop());
  return Object.assign(started, { port: started.addresses[0]!.port });
}

async function names(port: number, count: number): Promise<string[]> {
  const answers: string[] = [];
  for (let each = 0; each < count; each++) answers.push((await ask(port)).text);
  return answers;
}

describe('following the log', () => {
  test('serves from its own settings until the log has a configuration, and from the log alone after that', async () => {
    const own = await backend('own');
    const logged = await backend('logged');
    const { port } = await gateway({ ...NOTHING, backends: [backendAt('own', own.url)] });
    expect((await ask(port)).text).toBe('own');
    await fleet.configure([backendAt('logged', logged.url)]);
    await until(async () => (await ask(port)).text === 'logged', 'the log counts');
    expect(new Set(await names(port, 4))).toEqual(new Set(['logged']));
  });

  test('knows at once what the log held before it started', async () => {
    const one = await backend('one');
    await fleet.configure([backendAt('b1', one.url)]);
    const { port } = await gateway();
    expect((await ask(port)).text).toBe('one');
  });

  test('uses a backend as soon as it is added and leaves one as soon as it is not eligible', async () => {
    const [one, two] = [await backend('one'), await backend('two')];
    await fleet.configure([backendAt('b1', one.url)]);
    const { port } = await gateway(NOTHING, 2);
    expect(await names(port, 3)).toEqual(['one', 'one', 'one']);
    await fleet.append(registered(backendAt('b2', two.url)));
    await until(async () => (await ask(port)).text === 'two', 'the new backend serves');
    await fleet.append({ type: 'backend.disabled', subject: 'b1', data: { backend: 'b1' } });
    await until(async () => new Set(await names(port, 8)).size === 1, 'the disabled one serves no more');
    await fleet.append({ type: 'backend.removed', subject: 'b2', data: { backend: 'b2' } });
    await until(async () => (await ask(port)).status === 503, 'nobody is left');
  });

  test('keeps serving while the log is away, and tells what it saw when it is back', async () => {
    const one = await backend('one');
    await fleet.configure([backendAt('b1', one.url)]);
    const { port } = await gateway();
    await until(() => fleet.seen('gateway.started').length === 1, 'the start is in the log');
    fleet.events.setConnected(false);
    expect(await names(port, 20)).toEqual(Array.from({ length: 20 }, () => 'one'));
    fleet.events.setConnected(true);
    await until(() => fleet.fold.state.backends.get('b1')?.requests === 20, 'the log knows of all requests');
    expect(fleet.fold.state.gateways.get('gw-1')).toMatchObject({ running: true, requests: 20, errors: 0 });
  });

  test('keeps serving while the store is away', async () => {
    const one = await backend('one');
    await fleet.configure([backendAt('b1', one.url)]);
    await fleet.store.close();
    const { port } = await gateway();
    expect((await ask(port)).text).toBe('one');
  });

  test('sets a backend aside whose address it cannot use, and uses the others', async () => {
    const one = await backend('one');
    await fleet.configure([backendAt('b1', one.url), backendAt('bad', 'gopher://x')]);
    const { port } = await gateway();
    expect(await names(port, 3)).toEqual(['one', 'one', 'one']);
    expect(fleet.log.entries).toContainEqual(
      expect.objectContaining({ level: 'warn', message: 'a backend cannot be used' }),
    );
  });
});

describe('telling the log', () => {
  test('that it runs, with which workers, and that it stops', async () => {
    const running = await gateway(NOTHING, 2);
    await until(() => fleet.seen('gateway.started').length === 1, 'it is known');
    expect(fleet.seen('gateway.started')[0]).toMatchObject({ data: { gateway: 'gw-1', workers: 2 } });
    expect(await fleet.store.listLeases('gateway/')).toEqual([{ name: 'gateway/gw-1', owner: 'gw-1' }]);
    await running.stop();
    expect(fleet.fold.state.gateways.get('gw-1')?.running).toBe(false);
    expect(await fleet.store.listLeases('gateway/')).toEqual([]);
  });

  test('that it is not lost when the fleet thinks so', async () => {
    await gateway();
    await until(() => fleet.seen('gateway.started').length === 1, 'it is known');
    await fleet.append({ type: 'gateway.lost', subject: 'gw-1', data: { gateway: 'gw-1', cause: 'test' } });
    await until(() => fleet.fold.state.gateways.get('gw-1')?.running === true, 'it is known to run again');
  });

  test('when a breaker trips, after which no worker uses that backend', async () => {
    const good = await backend('good');
    const bad = await backend('bad', (request) => void request.socket.destroy());
    await fleet.configure([backendAt('good', good.url), backendAt('bad', bad.url)]);
    const { port } = await gateway(NOTHING, 2);
    await until(async () => {
      expect((await ask(port)).text).toBe('good');
      return fleet.seen('breaker.tripped').length > 0;
    }, 'the breaker trips');
    await until(async () => {
      const before = bad.seen.length;
      await names(port, 12);
      return bad.seen.length === before;
    }, 'the backend is left alone');
    expect(fleet.fold.state.backends.get('bad')?.trippedBy.has('gw-1')).toBe(true);
  });

  test('when nothing is under way any more to a backend that drains', async () => {
    const gate = Promise.withResolvers<void>();
    const slow = await backend(
      'slow',
      (_request, response) => void gate.promise.then(() => response.end('slow')),
    );
    const other = await backend('other');
    await fleet.configure([backendAt('b1', slow.url)]);
    const { port } = await gateway(NOTHING, 2);
    const answer = ask(port);
    await until(() => slow.seen.length === 1, 'the request is under way');
    await fleet.append(registered(backendAt('b2', other.url)), {
      type: 'backend.drain_started',
      subject: 'b1',
      data: { backend: 'b1', deadlineMs: 1, remove: false },
    });
    await until(async () => (await ask(port)).text === 'other', 'new requests go elsewhere');
    expect(fleet.seen('backend.emptied')).toHaveLength(0);
    gate.resolve();
    expect((await answer).text).toBe('slow');
    await until(() => fleet.seen('backend.emptied').length > 0, 'the drain is over');
    const { revision } = fleet.fold.state.backends.get('b1')!;
    expect(fleet.seen('backend.emptied')).toMatchObject([
      { data: { backend: 'b1', gateway: 'gw-1', revision } },
    ]);
  });
});

describe('counting', () => {
  test('balances requests, attempts and what is under way', async () => {
    const one = await backend('one', (request, response) => {
      if (request.url === '/500') response.writeHead(500);
      response.end('one');
    });
    await fleet.configure([backendAt('b1', one.url)]);
    const { port } = await gateway(NOTHING, 2);
    await Promise.all(
      Array.from({ length: 30 }, (_, each) => ask(port, { path: each % 10 === 0 ? '/500' : '/' })),
    );
    const { metrics } = fleet;
    await until(async () => (await metrics.sum('usher_backend_requests_total')) === 30, 'all are counted');
    expect(await metrics.sum('usher_backend_requests_total', { backend: 'b1', outcome: 'failed' })).toBe(3);
    expect(await metrics.sum('usher_requests_total', { route: 'all', pool: 'web', code: '2xx' })).toBe(27);
    expect(await metrics.sum('usher_requests_total', { route: 'all', pool: 'web', code: '5xx' })).toBe(3);
    expect(await metrics.sum('usher_backend_in_flight')).toBe(0);
    expect(await metrics.sum('usher_backend_eligible', { backend: 'b1' })).toBe(1);
    expect(await metrics.sum('usher_worker_restarts_total')).toBe(0);
    expect(await metrics.observed('usher_request_duration_seconds')).toBe(30);
    expect(await metrics.sum('usher_connections_total', { outcome: 'accepted' })).toBe(30);
    expect(await metrics.sum('usher_client_bytes_total', { direction: 'in' })).toBeGreaterThan(30 * 16);
    expect(await metrics.read('usher_worker_event_loop_delay_max_seconds')).toHaveLength(2);
    expect(await metrics.read('usher_worker_utilization_ratio')).toHaveLength(2);
  });
});

describe('workers', () => {
  test('share one port', async () => {
    const one = await backend('one');
    await fleet.configure([backendAt('b1', one.url)]);
    const { port, addresses } = await gateway(NOTHING, 3);
    expect(addresses).toHaveLength(1);
    expect(await names(port, 10)).toEqual(Array.from({ length: 10 }, () => 'one'));
  });

  test('come back when they die, with the table as it is by then', async () => {
    const file = new URL('../testing/crash-plugin.mjs', import.meta.url).pathname;
    const one = await backend('one');
    await fleet.configure([backendAt('b1', one.url)], {
      routes: [
        route({ id: 'crash', path: '/crash', pool: 'web', plugins: [{ name: 'crash', file, options: {} }] }),
        route({ id: 'all', path: '/*', pool: 'web' }),
      ],
    });
    const running = await gateway();
    expect(await names(running.port, 2)).toEqual(['one', 'one']);
    const requests = () => fleet.metrics.sum('usher_requests_total', { route: 'all' });
    expect(await requests()).toBe(2);
    await expect(ask(running.port, { path: '/crash' })).rejects.toThrow();
    await until(() => running.fault() !== undefined, 'the worker is gone');
    const two = await backend('two');
    await fleet.append(registered(backendAt('b2', two.url)), {
      type: 'backend.disabled',
      subject: 'b1',
      data: { backend: 'b1' },
    });
    await until(() => running.fault() === undefined, 'the worker is back');
    expect((await ask(running.port)).text).toBe('two');
    expect(await fleet.metrics.sum('usher_worker_restarts_total')).toBe(1);
    expect(await requests()).toBe(3);
    expect(await fleet.metrics.sum('usher_backend_in_flight')).toBe(0);
  });

  test('do not start on an address that is taken, and say so', async () => {
    const server = createServer();
    const port = await listen(server);
    closing.push(() => server.close());
    const starting = startGateway(
      fleet.context(),
      { listen: [{ host: '127.0.0.1', port }], workers: 2 },
      NOTHING,
    );
    await expect(starting).rejects.toThrow(`cannot listen on 127.0.0.1:${port}`);
  });
});

describe('both lanes', () => {
  test('serve their routes over one connection', async () => {
    const text = 'compress me '.repeat(500);
    const one = await backend('one', (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': text.length }).end(text);
    });
    const plugins = [{ name: 'gzip', options: {} }];
    await fleet.configure([backendAt('b1', one.url)], {
      routes: [
        route({ id: 'zip', path: '/zip/*', pool: 'web', plugins }),
        route({ id: 'plain', path: '/*', pool: 'web' }),
      ],
    });
    const { port } = await gateway();
    const agent = oneConnection();
    closing.push(() => agent.destroy());
    const encodings: (string | undefined)[] = [];
    for (const path of ['/a', '/zip/b', '/c', '/zip/d']) {
      const { headers } = await ask(port, { path, agent, headers: { 'accept-encoding': 'gzip' } });
      encodings.push(headers['content-encoding']);
    }
    expect(encodings).toEqual([undefined, 'gzip', undefined, 'gzip']);
  });
});

describe('stopping', () => {
  test('finishes every request that was accepted', async () => {
    const gate = Promise.withResolvers<void>();
    const one = await backend(
      'one',
      (_request, response) => void gate.promise.then(() => response.end('one')),
    );
    await fleet.configure([backendAt('b1', one.url)]);
    const running = await gateway(NOTHING, 2);
    const answers = Array.from({ length: 20 }, () => ask(running.port));
    await until(() => one.seen.length === 20, 'all are under way');
    const stopped = running.stop();
    expect(running.fault()).toBe('the gateway is stopping');
    gate.resolve();
    expect((await Promise.all(answers)).map(({ text }) => text)).toEqual(
      Array.from({ length: 20 }, () => 'one'),
    );
    await stopped;
    expect(fleet.fold.state.backends.get('b1')?.requests).toBe(20);
    await expect(ask(running.port)).rejects.toThrow();
  });

  test('does not wait for the log for ever', async () => {
    const running = await gateway();
    fleet.events.setConnected(false);
    await running.stop();
    expect(fleet.log.entries.at(-1)).toMatchObject({ level: 'warn' });
  });
});
