import type { PolicySettings, RouteSettings, TrafficSettings } from '@usher/domain';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { route } from '../testing/fixtures.ts';
import { bothLanes, LANES, LimitedFleet } from '../testing/limited-gateway.ts';
import { RawSocket, readMessage } from '../wire/testing/raw-socket.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

const trustedProxies = ['127.0.0.0/8'];
const from = (address: string) => ({ 'x-forwarded-for': address });
const NO_EDITS = { set: {}, add: {}, remove: [] };
const routeOf = (id: string, traffic: TrafficSettings): Partial<RouteSettings> => ({
  id,
  path: `/${id}/*`,
  traffic,
});

const ROUTES = bothLanes(
  routeOf('lists', { clients: { allow: ['192.0.2.0/24', '2001:db8::/32'], deny: ['192.0.2.128/25'] } }),
  routeOf('v4', { clients: { allow: ['0.0.0.0/0'], deny: ['198.51.100.7/32'] } }),
  routeOf('v6', { clients: { allow: ['::/0'], deny: [] } }),
  routeOf('mapped', { clients: { allow: [], deny: ['198.51.100.0/24'] } }),
  routeOf('tls', { redirect: 'https' }),
  routeOf('moved', { redirect: { status: 301, to: '/new{path}{query}' } }),
  routeOf('edit', {
    requestHeaders: {
      set: { 'x-client': '{client}', 'x-route': 'to {route}' },
      add: { 'x-more': '{host}{path}{query}' },
      remove: ['x-secret', 'cookie'],
    },
    responseHeaders: {
      set: { server: 'usher', 'x-id': '{request_id}' },
      add: { 'x-both': 'ours' },
      remove: ['x-powered-by'],
    },
  }),
  routeOf('small', {
    bodyBytes: 4,
    cors: {
      origins: ['https://app.example'],
      methods: ['POST'],
      headers: [],
      expose: [],
      credentials: false,
      maxAgeS: 60,
    },
  }),
  routeOf('secure', {
    securityHeaders: { hsts: 'max-age=60', headers: { 'x-frame-options': 'DENY', 'x-own': 'ours' } },
  }),
  routeOf('free', { securityHeaders: 'none', responseHeaders: 'none' }),
  routeOf('gone', { redirect: { status: 302, to: 'https://new.example{path}' } }),
  { id: 'all', path: '/*' },
);
const CUT = LANES.slice(0, 2).map((lane) => {
  const strip = lane === 'plugin' ? '/zip/cut' : '/cut';
  const plugins = lane === 'plugin' ? [{ name: 'gzip', options: {} }] : [];
  return route({
    id: `cut-${lane}`,
    path: `${strip}/*`,
    pool: 'web',
    plugins,
    traffic: { rewrite: { strip, add: '/v2' } },
  });
});

/** Those that send everybody elsewhere need none. */
function withoutPool({ pool, ...rest }: RouteSettings): RouteSettings {
  return rest.id.endsWith('gone') ? rest : { ...rest, pool };
}

let fleet: LimitedFleet;
let port: number;
beforeAll(async () => {
  fleet = new LimitedFleet();
  const shared: Partial<PolicySettings> = {
    routes: [...ROUTES.map(withoutPool), ...CUT],
    trustedProxies,
    traffic: {
      securityHeaders: { headers: { 'x-default': 'yes' } },
      responseHeaders: { ...NO_EDITS, set: { 'x-everywhere': 'yes' } },
    },
  };
  await fleet.configure(shared, {}, (request, response) => {
    response.setHeader('x-powered-by', 'something');
    response.setHeader('x-both', 'theirs');
    response.setHeader('x-own', 'theirs');
    const { url, headers } = request;
    // Not before the whole request is there.
    request.resume().once('end', () => response.end(JSON.stringify({ url, headers })));
  });
  port = await fleet.gateway();
});
afterAll(() => fleet.close());

interface Seen {
  readonly url: string;
  readonly headers: Record<string, string | undefined>;
}

describe.each(LANES)('through %s', (lane) => {
  const zip = lane.endsWith('plugin') ? '/zip' : '';
  const ask = async (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    await fleet.ask(port, lane, { path, headers, method });
  const status = async (path: string, address: string) => (await ask(path, from(address))).status;

  const urlOf = async (path: string) => (JSON.parse((await ask(path)).text) as Seen).url;

  test('denied clients are refused before allowed ones are let in, and all others when there is a list', async () => {
    expect(await status('/lists/', '192.0.2.127')).toBe(200);
    expect(await status('/lists/', '192.0.2.128')).toBe(403);
    expect(await status('/lists/', '203.0.113.1')).toBe(403);
    expect(await status('/lists/', '2001:db8::9')).toBe(200);
    expect(await status('/lists/', '2001:db9::9')).toBe(403);
    const refused = await ask('/lists/', from('203.0.113.1'));
    expect(JSON.parse(refused.text)).toMatchObject({ status: 403, code: 'forbidden' });
  });

  test('a whole family, a single address and an IPv4 address in IPv6 form are what they say', async () => {
    expect(await status('/v4/', '203.0.113.1')).toBe(200);
    expect(await status('/v4/', '198.51.100.7')).toBe(403);
    expect(await status('/v4/', '198.51.100.8')).toBe(200);
    expect(await status('/v4/', '2001:db8::1')).toBe(403);
    expect(await status('/v6/', '2001:db8::1')).toBe(200);
    expect(await status('/v6/', '198.51.100.8')).toBe(403);
    expect(await status('/mapped/', '::ffff:198.51.100.9')).toBe(403);
    expect(await status('/mapped/', '::ffff:c633:6409')).toBe(403);
  });

  test('a path that leads into a guarded route by another reading has no route', async () => {
    for (const path of [
      '/x/../lists/',
      '/%6cists/',
      '/%256cists/',
      '//lists/',
      '/x/%2e%2e/lists/',
      '/x\\..\\lists/',
    ])
      expect(`${path} ${(await ask(path, from('203.0.113.1'))).status}`).toBe(`${path} 404`);
    expect(await status('/lists/a%2Fb', '192.0.2.1')).toBe(200);
    expect(await status('/other%20one/', '203.0.113.1')).toBe(200);
  });

  test('clients are sent to where the route says, with a status and without content', async () => {
    const moved = await ask('/moved/a%2520b?c=d&e');
    expect(moved).toMatchObject({ status: 301, text: '' });
    expect(moved.headers['location']).toBe(`/new${zip}/moved/a%2520b?c=d&e`);
    expect((await ask('/moved/', {}, 'POST')).status).toBe(301);
  });

  test('a route without a pool sends everybody elsewhere', async () => {
    const sent = await ask('/gone/x');
    expect(sent).toMatchObject({ status: 302, headers: { location: `https://new.example${zip}/gone/x` } });
    expect(await fleet.fleet.metrics.sum('usher_requests_total', { pool: '', code: '3xx' })).toBeGreaterThan(
      0,
    );
  });

  test('who comes without TLS is sent to the same URL with it, and a trusted proxy tells who does', async () => {
    const inHttp2 = lane.startsWith('HTTP/2');
    const sent = await ask('/tls/x?y', inHttp2 ? {} : { host: 'Shop.example:8080' });
    expect(sent.status).toBe(308);
    if (inHttp2) expect(sent.headers['location']).toBe(`https://any${zip}/tls/x?y`);
    else expect(sent.headers['location']).toBe(`https://shop.example${zip}/tls/x?y`);
    expect((await ask('/tls/x', { 'x-forwarded-proto': 'https' })).status).toBe(200);
  });

  test('a prefix is taken off and another put in its place, without decoding anything', async () => {
    expect(await urlOf('/cut/a%252Fb?d=/cut/')).toBe('/v2/a%252Fb?d=/cut/');
    expect(await urlOf('/cut')).toBe('/v2');
    expect(await urlOf('/cut//evil.example/x')).toBe('/v2/evil.example/x');
  });

  test('headers of requests are set, added and removed, with variables', async () => {
    const answer = await ask('/edit/a?b', {
      ...from('192.0.2.9'),
      'x-client': 'spoofed',
      'X-Secret': 'gone',
      'x-more': 'theirs',
      cookie: 'a=b',
      x_client: 'theirs',
      X_Secret: 'theirs',
    });
    const { headers } = JSON.parse(answer.text) as Seen;
    const id = zip === '' ? 'edit' : 'zip-edit';
    expect(headers).toMatchObject({ 'x-client': '192.0.2.9', 'x-route': `to ${id}` });
    expect(headers['x-more']).toMatch(new RegExp(`^theirs, [a-z0-9.]+${zip}/edit/a\\?b$`));
    expect(headers['x-secret']).toBeUndefined();
    // What hands headers over as variables would take them for the others.
    expect(Object.keys(headers).filter((name) => name.includes('_'))).toEqual([]);
    expect(headers['cookie']).toBeUndefined();
  });

  test('headers of answers are set, added and removed, also where the gateway answers', async () => {
    const { headers } = await ask('/edit/');
    expect(headers).toMatchObject({ server: 'usher', 'x-both': 'theirs, ours' });
    expect(headers['x-id']).toBe(headers['x-request-id']);
    expect(headers['x-powered-by']).toBeUndefined();
    expect((await ask('/moved/')).headers).toMatchObject({ 'x-everywhere': 'yes', 'x-default': 'yes' });
    expect((await ask('/lists/', from('203.0.113.1'))).headers['x-everywhere']).toBe('yes');
    expect((await ask('/free/')).headers['x-everywhere']).toBeUndefined();
  });

  test('browsers are told to be careful where the backend says nothing, and of TLS only over TLS', async () => {
    const plain = await ask('/secure/');
    expect(plain.headers).toMatchObject({ 'x-frame-options': 'DENY', 'x-own': 'theirs' });
    expect(plain.headers['strict-transport-security']).toBeUndefined();
    const overTls = await ask('/secure/', { 'x-forwarded-proto': 'https' });
    expect(overTls.headers['strict-transport-security']).toBe('max-age=60');
  });

  test('a body that is too long is answered as its route answers, and counted', async () => {
    const route = zip === '' ? 'small' : 'zip-small';
    const { metrics } = fleet.fleet;
    const count = async () => await metrics.sum('usher_traffic_answers_total', { route, reason: 'body' });
    const before = await count();
    const headers = { origin: 'https://app.example' };
    const wanted = { path: '/small/', method: 'POST', headers, body: 'too long' };
    const refused = await fleet.ask(port, lane, wanted);
    expect(refused.status).toBe(413);
    expect(JSON.parse(refused.text)).toMatchObject({ code: 'body_too_large' });
    expect(refused.headers).toMatchObject({
      'x-everywhere': 'yes',
      'access-control-allow-origin': 'https://app.example',
    });
    expect(await count()).toBe(before + 1);
    expect((await fleet.ask(port, lane, { ...wanted, body: 'fine' })).status).toBe(200);
  });

  test('nothing of it is the fault of a backend, and all of it is counted', async () => {
    const route = zip === '' ? 'v4' : 'zip-v4';
    const count = async () =>
      await fleet.fleet.metrics.sum('usher_traffic_answers_total', { route, reason: 'client' });
    const before = await count();
    await ask('/v4/', from('198.51.100.7'));
    expect(await count()).toBe(before + 1);
    expect(await fleet.fleet.metrics.sum('usher_backend_requests_total', { outcome: 'failed' })).toBe(0);
  });
});

test.each([
  ['is too long', '5\r\nlong!\r\n', 413, 'body'],
  ['is no body', 'oh no\r\n', 400, 'malformed'],
])(
  'a body of chunks that %s, at once or later, is answered as its route answers, and counted',
  async (_why, chunk, status, reason) => {
    const { metrics } = fleet.fleet;
    const count = async () => await metrics.sum('usher_traffic_answers_total', { route: 'small', reason });
    const answers = async () => await metrics.sum('usher_requests_total', { route: 'small', code: '4xx' });
    const [before, answered] = [await count(), await answers()];
    const head = 'POST /small/ HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n';
    const client = RawSocket.to(port);
    client.send(head + chunk);
    expect(await readMessage(client)).toMatchObject({
      firstLine: expect.stringContaining(` ${status} `),
      headers: { 'x-everywhere': 'yes', vary: 'Origin' },
    });
    await client.untilClosed();
    const slow = RawSocket.to(port);
    await slow.sendSlowly(head + chunk);
    expect(await readMessage(slow)).toMatchObject({
      firstLine: expect.stringContaining(` ${status} `),
      headers: { 'x-everywhere': 'yes', vary: 'Origin' },
    });
    slow.socket.destroy();
    expect(await count()).toBe(before + 2);
    expect(await answers()).toBe(answered + 2);
  },
);
