import type { RequestListener } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterEach, expect, vi } from 'vitest';
import { type Answer, freePort, until } from '../../services/gateway/src/testing/http.ts';
import { RawSocket, readMessage } from '../../services/gateway/src/wire/testing/raw-socket.ts';
import { asking, SWITCH } from '../../services/gateway/src/wire/testing/websocket.ts';
import { testRows } from '../support/page-rows.ts';
import { type ForeignGateway, Started } from './foreign-gateway.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 60_000 });

const started = new Started();
afterEach(async () => await started.end());

const KEY = 'kf83-ab21-99de-0c7a';
const TEXT = 'compressible '.repeat(400);
const breaks: RequestListener = (request) => void request.socket.destroy();
const never: RequestListener = () => {};
const shows: RequestListener = (request, response) => {
  const { url, headers } = request;
  response.setHeader('x-app', 'backend');
  response.end(JSON.stringify({ url, headers }));
};

type FileOf = (urls: readonly string[]) => object;

/** A gateway by a file of a system, whose backends do this. */
async function start(format: string, fileOf: FileOf, ...handlers: readonly (RequestListener | undefined)[]) {
  const urls: string[] = [];
  for (const [index, handle] of handlers.entries())
    urls.push((await started.backend(`b${index}`, handle)).url);
  return await started.gateway(JSON.stringify(fileOf(urls)), format);
}

async function expectProblem(answer: Answer | Promise<Answer>, status: number): Promise<Answer> {
  const got = await answer;
  expect([got.status, got.headers['content-type']]).toEqual([status, 'application/problem+json']);
  expect(JSON.parse(got.text)).toMatchObject({ status });
  return got;
}

/** 503 as soon as the health checks have told of every backend. */
async function nobodyHealthy(gateway: ForeignGateway): Promise<void> {
  expect((await gateway.ask()).status).toBe(200);
  for (const backend of gateway.fleet.fold.state.backends.keys())
    await gateway.fleet.append({
      type: 'backend.became_unhealthy',
      subject: backend,
      data: { backend, cause: 'probe' },
    });
  await until(async () => (await gateway.ask()).status === 503, 'nobody is left');
  await expectProblem(gateway.ask(), 503);
}

const tripped = (gateway: ForeignGateway) => gateway.fleet.seen('breaker.tripped').length;

/** The one that fails is left alone as soon as its breaker is open, and where there is no other clients get 503. */
async function breakersOpen(format: string, fileOf: FileOf, failures: number): Promise<void> {
  const only = await started.backend('only', breaks);
  const alone = await start(format, () => fileOf([only.url]));
  for (let each = 0; each < failures - 1; each++) await expectProblem(alone.ask(), 502);
  expect(tripped(alone)).toBe(0);
  await until(async () => (await alone.ask()).status === 503 && tripped(alone) > 0, 'its breaker opens');
  const tried = only.seen.length;
  for (let each = 0; each < 6; each++) await expectProblem(alone.ask(), 503);
  expect(only.seen).toHaveLength(tried);
  const broken = await started.backend('broken', breaks);
  const both = await start(format, (urls) => fileOf([broken.url, ...urls]), undefined);
  await until(async () => (await both.ask()).text === 'b0' && tripped(both) > 0, 'its breaker opens');
  const { length } = broken.seen;
  expect(await both.names(6)).toEqual(Array.from({ length: 6 }, () => 'b0'));
  expect(broken.seen).toHaveLength(length);
}

/** One backend is not there: the other answers, and who has only that one gets 502. */
async function unreachable(format: string, fileOf: FileOf): Promise<void> {
  const nobody = `http://127.0.0.1:${await freePort()}`;
  const both = await start(format, (urls) => fileOf([nobody, ...urls]), undefined);
  expect(await both.names(2)).toEqual(['b0', 'b0']);
  await expectProblem((await start(format, () => fileOf([nobody]))).ask(), 502);
}

/** So many requests are answered, and one more is not. */
async function limited(gateway: ForeignGateway, burst: number, localAddress = '127.0.0.1'): Promise<void> {
  for (let each = 0; each < burst; each++) expect((await gateway.ask({ localAddress })).status).toBe(200);
  const { headers } = await expectProblem(gateway.ask({ localAddress }), 429);
  expect(Number(headers['retry-after'])).toBeGreaterThan(0);
}

const helios =
  (more: object = {}): FileOf =>
  (urls) => ({
    server: { port: 8080 },
    backends: urls.map((address, index) => ({ name: `b${index}`, address })),
    load_balancer: { strategy: 'round_robin' },
    ...more,
  });
const withPlugin = (name: string, config: object) =>
  helios({ plugins: { enabled: true, chain: [{ name, config }] } });
const BREAKER = {
  enabled: true,
  max_requests: 1,
  interval_seconds: 60,
  timeout_seconds: 60,
  failure_threshold: 3,
  success_threshold: 1,
};

testRows('helios', 'Answers', {
  rate_limit: async () => {
    const limit = { enabled: true, max_tokens: 5, refill_rate_seconds: 600 };
    await limited(await start('helios', helios({ rate_limit: limit }), undefined), 5);
  },
  'No backend is healthy': async () => {
    await nobodyHealthy(await start('helios', helios(), undefined, undefined, undefined));
  },
  'The breaker of every backend is open': async () => {
    await breakersOpen('helios', helios({ circuit_breaker: BREAKER }), 3);
  },
  'A backend cannot be reached': async () => await unreachable('helios', helios()),
  'backend_read is over': async () => {
    const timeouts = { backend_read: 1, handler: 5 };
    const gateway = await start('helios', helios({ server: { port: 8080, timeouts } }), never);
    await expectProblem(gateway.ask(), 504);
  },
  'handler is over': async () => {
    const timeouts = { backend_read: 30, handler: 1 };
    const gateway = await start('helios', helios({ server: { port: 8080, timeouts } }), never);
    await expectProblem(gateway.ask(), 504);
  },
  max_request_body: async () => {
    const gateway = await start('helios', withPlugin('size_limit', { max_request_body: 8 }), undefined);
    const method = 'POST';
    expect((await gateway.ask({ method, body: '12345678' })).status).toBe(200);
    await expectProblem(gateway.ask({ method, body: '123456789' }), 413);
    const chunked = { 'transfer-encoding': 'chunked' };
    await expectProblem(gateway.ask({ method, headers: chunked, body: '123456789' }), 413);
  },
  'custom-auth': async () => {
    const gateway = await start('helios', withPlugin('custom-auth', { apiKey: KEY }), undefined);
    await expectProblem(gateway.ask(), 401);
    await expectProblem(gateway.ask({ headers: { 'x-api-key': 'wrong' } }), 401);
    expect((await gateway.ask({ headers: { 'x-api-key': KEY } })).status).toBe(200);
  },
  'request-id': async () => {
    const gateway = await start('helios', withPlugin('request-id', {}), shows);
    const { text, headers } = await gateway.ask();
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(JSON.parse(text).headers['x-request-id']).toBe(headers['x-request-id']);
    const known = await gateway.ask({ headers: { 'x-request-id': 'mine' } });
    expect(known.headers['x-request-id']).toBe('mine');
    expect(JSON.parse(known.text).headers['x-request-id']).toBe('mine');
  },
  headers: async () => {
    const config = { set: { 'X-App': 'Helios' }, request_set: { 'X-From': 'LB' } };
    const { text, headers } = await (await start('helios', withPlugin('headers', config), shows)).ask();
    expect(headers['x-app']).toBe('Helios');
    expect(JSON.parse(text).headers['x-from']).toBe('LB');
  },
  gzip: async () => {
    const config = { level: 5, min_size: 1024, content_types: ['text/', 'application/json'] };
    const gateway = await start('helios', withPlugin('gzip', config), (request, response) => {
      response.setHeader('content-type', request.url === '/image' ? 'image/png' : 'text/html');
      response.end(request.url === '/short' ? 'short' : TEXT);
    });
    const wanting = { headers: { 'accept-encoding': 'gzip' } };
    const zipped = await gateway.ask(wanting);
    expect(zipped.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(zipped.body).toString()).toBe(TEXT);
    for (const plain of [{}, { ...wanting, path: '/short' }, { ...wanting, path: '/image' }])
      expect((await gateway.ask(plain)).headers['content-encoding']).toBeUndefined();
  },
  'X-Forwarded-For': async () => {
    const gateway = await start('helios', helios(), shows);
    const { text } = await gateway.ask({ localAddress: '127.0.0.9', headers: { host: 'shop.example' } });
    expect(JSON.parse(text).headers).toMatchObject({ 'x-forwarded-for': '127.0.0.9', host: 'shop.example' });
  },
  WebSocket: async () => {
    const backend = await started.backend('b0');
    backend.server.on('upgrade', (_request, socket) => {
      socket.write(SWITCH);
      socket.pipe(socket);
    });
    const gateway = await started.gateway(JSON.stringify(helios()([backend.url])), 'helios');
    const client = RawSocket.to(gateway.port);
    client.send(asking('/ws'));
    expect((await readMessage(client, true)).headers).toMatchObject({ upgrade: 'websocket' });
    client.send('\x82\x81abcdX');
    expect(await client.take(7)).toBe('\x82\x81abcdX');
    client.socket.destroy();
  },
});

const connx =
  (more: object = {}): FileOf =>
  (urls) => ({
    server: { port: 8080, host: '127.0.0.1' },
    backends: urls.map((url) => ({ url, weight: 1 })),
    loadBalancing: { algorithm: 'round-robin' },
    ...more,
  });
const CONNX_LIMIT = { enabled: true, requestsPerSec: 1, burst: 5 };

testRows('connx', 'Answers', {
  'A request that is none': async () => {
    const client = RawSocket.to((await start('connx', connx(), undefined)).port);
    client.send('GET\r\n\r\n');
    expect((await readMessage(client)).head).toMatch(/^HTTP\/1\.1 400 /);
    client.socket.destroy();
  },
  'rateLimit, of all clients': async () => {
    const gateway = await start('connx', connx({ rateLimit: { ...CONNX_LIMIT, perIP: false } }), undefined);
    await limited(gateway, 5);
    await expectProblem(gateway.ask({ localAddress: '127.0.0.2' }), 429);
    await expectProblem(gateway.ask({ path: '/metrics' }), 429);
  },
  'rateLimit, by address': async () => {
    const gateway = await start('connx', connx({ rateLimit: { ...CONNX_LIMIT, perIP: true } }), undefined);
    await limited(gateway, 5);
    await limited(gateway, 5, '127.0.0.2');
  },
  'A backend cannot be reached': async () => await unreachable('connx', connx()),
  'No backend is healthy': async () => {
    await nobodyHealthy(await start('connx', connx(), undefined, undefined, undefined));
  },
  'The breaker of every backend is open': async () => {
    const circuitBreaker = { enabled: true, maxFailures: 4, timeout: 60, halfOpenSuccess: 2 };
    await breakersOpen('connx', connx({ circuitBreaker }), 4);
  },
});

const velo =
  (more: object = {}): FileOf =>
  (urls) => ({ backends: { urls }, strategy: 'roundrobin', ...more });

testRows('velo', 'Answers', {
  'No backend is healthy': async () => {
    await nobodyHealthy(await start('velo', velo(), undefined, undefined, undefined));
  },
  'The breaker of every backend is open': async () => {
    const circuit = { failure_threshold: 3, timeout: '60s' };
    await breakersOpen('velo', velo({ circuit }), 3);
  },
  'A backend fails': async () => {
    await unreachable('velo', velo());
    const gateway = await start('velo', velo(), (_request, response) => response.writeHead(500).end('no'));
    expect(await gateway.ask()).toMatchObject({ status: 500, text: 'no' });
  },
});

const balancer =
  (more: object = {}): FileOf =>
  (urls) => ({
    listen: { port: 8080 },
    algorithm: 'round-robin',
    backends: urls.map((url, index) => ({ id: `b${index}`, url })),
    ...more,
  });
const sticky = (type: string) => ({ sticky_session: { enabled: true, type, timeout: '1h' } });

testRows('load-balancer', 'Answers', {
  'No backend is healthy': async () => {
    await nobodyHealthy(await start('load-balancer', balancer(), undefined, undefined, undefined));
  },
  'The breaker of every backend is open': async () => {
    await breakersOpen('load-balancer', balancer({ circuit_breaker: { failure_threshold: 4 } }), 4);
  },
  'A backend answers with 5xx': async () => {
    const gateway = await start('load-balancer', balancer(), (_request, response) =>
      response.writeHead(501).end('own words'),
    );
    expect(await gateway.ask()).toMatchObject({ status: 501, text: 'own words' });
  },
  'A backend cannot be reached': async () =>
    await unreachable('load-balancer', balancer({ retry: { max_retries: 3 } })),
  'sticky_session by cookie': async () => {
    const gateway = await start('load-balancer', balancer(sticky('cookie')), undefined, undefined, undefined);
    for (let client = 0; client < 4; client++) {
      const { text, headers } = await gateway.ask();
      const [cookie = ''] = headers['set-cookie']?.[0]?.split(';') ?? [];
      expect(cookie).toMatch(/^lb_session=./);
      expect(await gateway.names(5, { headers: { cookie } })).toEqual(Array.from({ length: 5 }, () => text));
    }
  },
  'sticky_session by ip': async () => {
    const gateway = await start('load-balancer', balancer(sticky('ip')), undefined, undefined, undefined);
    for (const localAddress of ['127.0.0.2', '127.0.0.3', '127.0.0.4'])
      expect(new Set(await gateway.names(6, { localAddress })).size).toBe(1);
  },
  'The query of a request': async () => {
    const gateway = await start('load-balancer', balancer(), shows);
    const path = '/a%2Fb//c?x=1&y=%20&x=2';
    expect(JSON.parse((await gateway.ask({ path })).text).url).toBe(path);
  },
});
