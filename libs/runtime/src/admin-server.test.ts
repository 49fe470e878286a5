import { once } from 'node:events';
import { connect } from 'node:net';
import { UsherError } from '@usher/domain';
import { ConflictError, type Log, LogUnavailableError } from '@usher/ports';
import { afterEach, expect, test } from 'vitest';
import { type AdminServerOptions, createAdminApp, startAdminServer } from './admin-server.ts';
import { systemClock } from './clock.ts';
import { systemRandom } from './random.ts';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const TOKENS = [
  { name: 'viewer', secret: 'view-secret', role: 'read' },
  { name: 'ops', secret: 'ops-secret', role: 'operate' },
  { name: 'root', secret: 'root-secret', role: 'admin' },
  { name: 'beside-a', secret: 'agent-secret', role: 'agent', backend: 'a' },
] as const;
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });
const ROOT = bearer('root-secret');

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

function options(changes: Partial<AdminServerOptions> = {}): AdminServerOptions {
  return {
    host: '127.0.0.1',
    port: 0,
    tokens: TOKENS,
    allow: ['127.0.0.0/8'],
    clock: systemClock(),
    log: silent,
    random: systemRandom(),
    health: () => ({ status: 'ok', services: [] }),
    register: (app) => {
      app.get('/read', { config: { role: 'read' } }, (request) => ({ name: request.identity?.name }));
      app.post('/operate', { config: { role: 'operate' } }, (request) => ({ got: request.body ?? null }));
      app.post('/admin', { config: { role: 'admin' } }, () => ({}));
      app.get('/things/:id', { config: { role: 'read' } }, () => ({}));
      app.post('/stats/:backend', { config: { role: 'agent' } }, () => ({}));
      app.post('/stats', { config: { role: 'agent' } }, () => ({}));
    },
    ...changes,
  };
}

function build(changes: Partial<AdminServerOptions> = {}) {
  const app = createAdminApp(options(changes));
  closing.push(() => app.close());
  return app;
}

/** An app whose route throws. */
const failing = (error: unknown, log: Log = silent) =>
  build({
    log,
    register: (app) =>
      app.get('/fail', { config: { role: 'read' } }, () => {
        throw error;
      }),
  }).inject({ url: '/fail', headers: ROOT });

test('an agent may speak for its own backend and do nothing else', async () => {
  const app = build();
  const status = async (method: 'GET' | 'POST', url: string, secret = 'agent-secret') =>
    (await app.inject({ method, url, headers: bearer(secret) })).statusCode;
  expect(await status('POST', '/stats/a')).toBe(200);
  expect(await status('POST', '/stats/b')).toBe(403);
  expect(await status('POST', '/stats/%61')).toBe(200);
  expect(await status('POST', '/stats')).toBe(403);
  expect(await status('GET', '/read')).toBe(403);
  expect(await status('POST', '/operate')).toBe(403);
  expect(await status('POST', '/admin')).toBe(403);
  expect(await status('POST', '/stats/b', 'ops-secret')).toBe(200);
  expect(await status('POST', '/stats/b', 'view-secret')).toBe(403);
});

test.each([
  ['viewer', 'view-secret', [200, 403, 403]],
  ['ops', 'ops-secret', [200, 200, 403]],
  ['root', 'root-secret', [200, 200, 200]],
] as const)('a role may do what lesser roles may, and no more: %s', async (_name, secret, expected) => {
  const app = build();
  const headers = bearer(secret);
  const answers = [
    await app.inject({ url: '/read', headers }),
    await app.inject({ method: 'POST', url: '/operate', headers }),
    await app.inject({ method: 'POST', url: '/admin', headers }),
  ];
  expect(answers.map((answer) => answer.statusCode)).toEqual(expected);
});

test.each([
  ['no header', {}],
  ['an unknown token', bearer('guess')],
  ['a token cut short', bearer('root-secre')],
  ['another scheme', { authorization: 'Basic root-secret' }],
  ['an empty token', { authorization: 'Bearer ' }],
])('%s is refused with 401', async (_what, headers) => {
  const answer = await build().inject({ url: '/read', headers });
  expect(answer.statusCode).toBe(401);
  expect(answer.headers['www-authenticate']).toBe('Bearer realm="usher"');
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(answer.json()).toMatchObject({ code: 'unauthorized', status: 401 });
});

test('a route knows who calls it', async () => {
  const answer = await build().inject({ url: '/read', headers: bearer('ops-secret') });
  expect(answer.json()).toEqual({ name: 'ops' });
});

test('health needs no token', async () => {
  expect((await build().inject('/v1/health')).json()).toEqual({ status: 'ok', services: [] });
  const stopping = build({ health: () => ({ status: 'stopping', services: [] }) });
  expect((await stopping.inject('/v1/health')).statusCode).toBe(503);
});

test('a route that declares no role cannot be added', () => {
  expect(() => build({ register: (app) => app.get('/open', () => ({})) })).toThrow(/declares no role/);
});

test('every answer has a request id of its own and may not be stored', async () => {
  const app = build();
  const [one, two] = [await app.inject('/v1/health'), await app.inject('/nowhere')];
  expect(one.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  expect(two.headers['x-request-id']).not.toBe(one.headers['x-request-id']);
  expect(one.headers['cache-control']).toBe('no-store');
});

test('only addresses of the allowed networks may connect, even to health', async () => {
  const app = build({ allow: ['10.1.0.0/16', 'fd00::/8', '192.0.2.7'] });
  const from = async (remoteAddress: string) =>
    (await app.inject({ url: '/read', remoteAddress, headers: ROOT })).statusCode;
  expect(await from('10.1.2.3')).toBe(200);
  expect(await from('::ffff:10.1.2.3')).toBe(200);
  expect(await from('fd12::1')).toBe(200);
  expect(await from('192.0.2.7')).toBe(200);
  expect(await from('192.0.2.8')).toBe(403);
  expect(await from('127.0.0.1')).toBe(403);
  expect((await app.inject({ url: '/v1/health', remoteAddress: '127.0.0.1' })).statusCode).toBe(403);
});

test('forwarding headers do not change who connects', async () => {
  const answer = await build().inject({
    url: '/read',
    remoteAddress: '192.0.2.1',
    headers: { ...ROOT, 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.1' },
  });
  expect(answer.statusCode).toBe(403);
});

test('something that is no network is refused at start', () => {
  expect(() => build({ allow: ['localhost'] })).toThrow(/not a network/);
  expect(() => build({ allow: ['10.0.0.0/33'] })).toThrow();
});

test('without tokens only loopback addresses may be listened on', async () => {
  await expect(startAdminServer(options({ tokens: [], host: '0.0.0.0' }))).rejects.toThrow(
    /at least one token/,
  );
  const app = build({ tokens: [] });
  expect(
    (await app.inject({ method: 'POST', url: '/admin', headers: { host: 'localhost:9091' } })).statusCode,
  ).toBe(200);
});

test('without tokens a page whose name was pointed at this machine is refused', async () => {
  const app = build({ tokens: [] });
  const asked = async (host: string) => (await app.inject({ url: '/read', headers: { host } })).statusCode;
  expect(await asked('127.0.0.1:9091')).toBe(200);
  expect(await asked('[::1]:9091')).toBe(200);
  expect(await asked('::1')).toBe(200);
  expect(await asked('rebound.example:9091')).toBe(403);
  expect(await asked('127.0.0.1.rebound.example')).toBe(403);
});

test('pages of other origins may not call, our own may', async () => {
  const app = build({ tokens: [] });
  const post = async (origin: string) =>
    (await app.inject({ method: 'POST', url: '/operate', headers: { host: 'localhost:9091', origin } }))
      .statusCode;
  expect(await post('http://localhost:9091')).toBe(200);
  expect(await post('http://evil.example')).toBe(403);
  expect(await post('http://localhost:3000')).toBe(403);
  expect(await post('null')).toBe(403);
});

test('bodies are JSON or absent', async () => {
  const app = build();
  const post = async (payload: string, type: string) => {
    const answer = await app.inject({
      method: 'POST',
      url: '/operate',
      payload,
      headers: { ...ROOT, 'content-type': type },
    });
    return [answer.statusCode, answer.json<{ code?: string; got?: unknown }>()] as const;
  };
  expect(await post('{"a":1}', 'application/json')).toEqual([200, { got: { a: 1 } }]);
  expect(await post('', 'application/json')).toEqual([200, { got: null }]);
  for (const [payload, type] of [
    ['{"a":', 'application/json'],
    ['{"__proto__":{"a":1}}', 'application/json'],
    ['a=1', 'application/x-www-form-urlencoded'],
    ['{}', 'text/plain'],
  ] as const) {
    const [status, body] = await post(payload, type);
    expect([type, status, body.code]).toEqual([type, 400, 'invalid_input']);
  }
  const [status, body] = await post(JSON.stringify('x'.repeat(70_000)), 'application/json');
  expect([status, body.code]).toEqual([413, 'body_too_large']);
});

test.each(['/nowhere', '/things/%zz', '/things/%ff', '//', '/things/a/b'])(
  'an unknown or broken path is not found: %s',
  async (url) => {
    const answer = await build().inject({ url, headers: ROOT });
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ code: 'not_found' });
  },
);

test('errors of the catalogue are answered as such, with Retry-After where it helps', async () => {
  const away = await failing(new LogUnavailableError('nats://secret-host is away'));
  expect(away.statusCode).toBe(503);
  expect(away.headers['retry-after']).toBe('2');
  expect(away.json()).toMatchObject({ code: 'log_unavailable' });
  expect(away.body).not.toContain('secret-host');
  expect((await failing(new ConflictError('s', 1, 2))).json()).toMatchObject({
    code: 'conflict',
    status: 409,
  });
  expect((await failing(new UsherError('not_found', 'No backend b9'))).json()).toMatchObject({
    status: 404,
    detail: 'No backend b9',
  });
});

test('an error that nobody foresaw is logged, and says nothing to the caller', async () => {
  const logged: unknown[] = [];
  const log: Log = { ...silent, error: (_message, fields) => logged.push(fields?.['error']) };
  const error = new Error('inner words');
  const answer = await failing(error, log);
  expect(answer.statusCode).toBe(500);
  expect(answer.json()).toMatchObject({ code: 'internal' });
  expect(answer.body).not.toContain('inner words');
  expect(logged).toEqual([error]);
});

test('what is no HTTP at all is answered with a problem, and the connection closed', async () => {
  const server = await startAdminServer(options());
  closing.push(() => server.close());
  const socket = connect(server.port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  socket.write('GET / HTTP/1.1\r\nbroken header\r\n\r\n');
  await once(socket, 'close');
  expect(text).toMatch(/^HTTP\/1\.1 400 /);
  expect(JSON.parse(text.split('\r\n\r\n')[1]!)).toMatchObject({ code: 'bad_request' });
});

/** What who asks without a token is answered with. */
const withoutTokens = async (headers: Record<string, string>, changes: Partial<AdminServerOptions> = {}) => {
  const request = { url: '/read', headers: { host: 'localhost:9091', ...headers } };
  return (await build({ tokens: [], ...changes }).inject(request)).statusCode;
};

test('without tokens nothing that a proxy passes on is answered, unless the proxy is trusted', async () => {
  const forwarded = { 'x-forwarded-for': '127.0.0.1' };
  expect(await withoutTokens({})).toBe(200);
  expect(await withoutTokens(forwarded)).toBe(403);
  expect(await withoutTokens({ forwarded: 'for=127.0.0.1' })).toBe(403);
  expect(await withoutTokens(forwarded, { trustedProxies: ['127.0.0.0/8'] })).toBe(200);
  expect(await withoutTokens({ ...forwarded, ...ROOT }, { tokens: TOKENS })).toBe(200);
});
