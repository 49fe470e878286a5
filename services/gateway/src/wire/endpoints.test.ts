import type { EndpointSettings } from '@usher/domain';
import { afterEach, expect, test } from 'vitest';
import { Backend } from '../h2/testing/backend.ts';
import { limitOf, route, row } from '../testing/fixtures.ts';
import { freePort } from '../testing/http.ts';
import { Harness, type HarnessOptions } from './testing/harness.ts';
import { answering, type BackendBehaviour, ok } from './testing/raw-backend.ts';
import { readMessage, statusOf, until } from './testing/raw-socket.ts';
import { asking, switching } from './testing/websocket.ts';

let harness: Harness;
const http2: Backend[] = [];

afterEach(async () => {
  await harness.stop();
  for (const backend of http2.splice(0)) await backend.stop();
});

const named = (name: string): BackendBehaviour => answering(() => ok(name));

/** One backend, whose other endpoints are what follows the first behaviour. */
async function start(
  behaviours: readonly BackendBehaviour[],
  paths: readonly string[],
  options?: HarnessOptions,
): Promise<void> {
  harness = await Harness.start(behaviours, options);
  const endpoints = paths.map((path, index) => ({ path, url: harness.backends[index + 1]!.url }));
  for (const index of paths.keys()) harness.apply({ kind: 'backend_removed', backend: `b${index + 1}` });
  set(harness.backends[0]!.url, endpoints);
}

function set(url: string, endpoints: readonly EndpointSettings[]): void {
  harness.apply({ kind: 'backend', row: row('b0', { url, endpoints }) });
}

const get = (path: string, fields = ''): string => `GET ${path} HTTP/1.1\r\nHost: any\r\n${fields}\r\n`;

test('kept connections serve the endpoint that they were made to and no other', async () => {
  await start([named('main'), named('api')], ['/api/*']);
  const client = harness.connect();
  const bodies: string[] = [];
  for (const path of ['/', '/api', '/', '/api/x', '/api/y?/', '/']) {
    client.send(get(path));
    bodies.push((await readMessage(client)).body);
  }
  expect(bodies).toEqual(['main', 'api', 'main', 'api', 'api', 'main']);
  expect(harness.backends.map(({ connections }) => connections.length)).toEqual([1, 1]);
  expect(harness.pool.slots).toHaveLength(1);
  expect(harness.pool.slots[0]).toMatchObject({ requests: 6, failures: 0, inFlight: 0 });
});

test('an absolute target goes by its path', async () => {
  await start([named('main'), named('api')], ['/api/*']);
  const client = harness.connect();
  client.send(get('http://any/api/x'));
  expect((await readMessage(client)).body).toBe('api');
  client.send(get('http://any'));
  expect((await readMessage(client)).body).toBe('main');
});

test('a request without Host gets that of the endpoint', async () => {
  await start([named('main'), named('api')], ['/api/*']);
  const routes = [route({ id: 'all', path: '/*', pool: 'web' })];
  harness.apply({ kind: 'policy', policy: { ...harness.table.policy, routes } });
  const client = harness.connect();
  client.send('GET /api/x HTTP/1.0\r\n\r\n');
  expect(statusOf(await readMessage(client))).toBe(200);
  const [, api] = harness.backends;
  expect(api!.requests[0]!.headers['host']).toBe(`127.0.0.1:${api!.port}`);
});

test('a WebSocket reaches the endpoint for its path, and counts for the backend', async () => {
  await start([named('main'), switching], ['/live/*']);
  const client = harness.connect({ allowHalfOpen: true });
  client.send(asking('/live/1'));
  expect(statusOf(await readMessage(client, true))).toBe(101);
  client.send('\x82\x81abcdX');
  expect(await harness.backends[1]!.connections[0]!.take(7)).toBe('\x82\x81abcdX');
  expect(harness.pool.slots[0]!.inFlight).toBe(1);
  client.socket.destroy();
  await until(() => harness.inFlight === 0, 'the place on the backend is free');
});

test('the limit of a backend is that of its endpoints together', async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  const slow = answering(async () => {
    await held;
    return ok('api');
  });
  await start([named('main'), slow], ['/api/*'], { queue: { max: 10, timeoutMs: 5_000 } });
  const [main, api] = harness.backends;
  const endpoints = [{ path: '/api/*', url: api!.url }];
  harness.apply({ kind: 'backend', row: row('b0', { url: main!.url, endpoints, limit: limitOf(1) }) });
  const [first, second] = [harness.connect(), harness.connect()];
  first.send(get('/api'));
  await until(() => api!.requests.length === 1, 'one request is under way');
  second.send(get('/'));
  await until(() => harness.pool.line?.counts.waiting === 1, 'the other one waits');
  expect(main!.requests).toHaveLength(0);
  release();
  expect((await readMessage(first)).body).toBe('api');
  expect((await readMessage(second)).body).toBe('main');
});

test('failures at one endpoint are those of the backend, and another backend gets the request', async () => {
  harness = await Harness.start([named('main'), named('other')]);
  const [main, other] = harness.backends;
  set(main!.url, [{ path: '/api/*', url: `http://127.0.0.1:${await freePort()}` }]);
  harness.apply({ kind: 'backend', row: row('b1', { url: other!.url }) });
  const client = harness.connect();
  for (let round = 0; round < 2; round++) {
    client.send(get('/api'));
    expect((await readMessage(client)).body).toBe('other');
  }
  const b0 = harness.pool.slots.find(({ id }) => id === 'b0')!;
  expect(b0.failures).toBeGreaterThan(0);
  expect(harness.table.connectFailures()).toEqual([{ backend: 'b0', cause: 'refused', count: b0.failures }]);
});

test('endpoints that are spoken to in HTTP/2 have sessions of their own', async () => {
  for (const name of ['main', 'api']) {
    http2.push(
      await Backend.start(({ stream }) => {
        stream.respond({ ':status': 200 });
        stream.end(name);
      }),
    );
  }
  const [main, api] = http2;
  harness = await Harness.start([], { urls: [main!.url], toHttp2: true });
  set(main!.url, [{ path: '/api/*', url: api!.url }]);
  const client = harness.connect();
  for (const [path, name] of [
    ['/', 'main'],
    ['/api/x', 'api'],
    ['/', 'main'],
    ['/api', 'api'],
  ] as const) {
    client.send(get(path));
    expect((await readMessage(client)).body).toBe(name);
  }
  expect(http2.map(({ sessionsSeen }) => sessionsSeen)).toEqual([1, 1]);
});
