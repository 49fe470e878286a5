import { createHash } from 'node:crypto';
import type { CorsSettings, RouteSettings, TrafficSettings } from '@usher/domain';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { bothLanes, LANES, LimitedFleet } from '../testing/limited-gateway.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

const KEY = 'kf83-ab21-99de-0c7a';
const CORS: CorsSettings = {
  origins: ['https://app.example'],
  methods: ['GET', 'PUT'],
  headers: ['x-own'],
  expose: ['x-count'],
  credentials: true,
  maxAgeS: 60,
};
const routeOf = (id: string, traffic: TrafficSettings): Partial<RouteSettings> => ({
  id,
  path: `/${id}`,
  traffic,
});
const keys = [
  { name: 'other', sha256: '00'.repeat(32) },
  { name: 'shop', sha256: createHash('sha256').update(KEY).digest('hex') },
];
const ROUTES = bothLanes(
  routeOf('cors', { cors: CORS, apiKeys: { header: 'x-api-key', keys } }),
  routeOf('open', { cors: { ...CORS, origins: ['*'], headers: ['*'], credentials: false } }),
  {
    ...routeOf('key', {
      apiKeys: { header: 'x-api-key', keys },
      requestHeaders: { set: { 'x-consumer': '{consumer}' }, add: {}, remove: [] },
    }),
    rateLimit: { by: 'route', requests: 1000, perMs: 1000, burst: 1000, scope: 'fleet' },
  },
  routeOf('small', { bodyBytes: 5 }),
  routeOf('ids', { requestId: { header: 'x-trace', trust: 'anyone' } }),
  routeOf('fresh', { requestId: { header: 'x-request-id', trust: 'nobody' } }),
  routeOf('proxy', { requestId: { header: 'x-request-id', trust: 'trusted_proxies' } }),
);

let fleet: LimitedFleet;
let port: number;
beforeAll(async () => {
  fleet = new LimitedFleet();
  await fleet.configure({ routes: ROUTES }, {}, (request, response) => {
    response.setHeader('access-control-allow-origin', 'https://evil.example');
    response.setHeader('x-trace', 'theirs');
    request.resume();
    request.on('end', () => response.end(JSON.stringify(request.headers)));
  });
  port = await fleet.gateway();
});
afterAll(() => fleet.close());

/** The headers that the backend got. */
const seen = (text: string) => JSON.parse(text) as Record<string, string | undefined>;

describe.each(LANES)('through %s', (lane) => {
  const ask = async (path: string, headers: Record<string, string> = {}, method = 'GET', body?: string) =>
    await fleet.ask(port, lane, { path, headers, method, ...(body === undefined ? {} : { body }) });
  const preflight = async (path: string, origin: string, asked = 'x-own') =>
    await ask(
      path,
      { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': asked },
      'OPTIONS',
    );

  test('a preflight request is answered without a key and without a backend', async () => {
    const before = fleet.backend!.seen.length;
    const answer = await preflight('/cors', 'https://app.example');
    expect(answer).toMatchObject({ status: 204, text: '' });
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example',
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, PUT',
      'access-control-allow-headers': 'x-own',
      'access-control-max-age': '60',
    });
    expect(answer.headers['content-length']).toBeUndefined();
    expect(fleet.backend!.seen.length).toBe(before);
  });

  test.each(['null', 'https://evil.example', 'https://app.example.evil', 'HTTPS://app.example'])(
    'the origin %s is not told that it may',
    async (origin) => {
      const answer = await preflight('/cors', origin);
      expect(answer.status).toBe(403);
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
      const followed = await ask('/cors', { origin, 'x-api-key': KEY });
      expect(followed.status).toBe(200);
      expect(followed.headers['access-control-allow-origin']).toBeUndefined();
      expect(followed.headers['vary']).toBe('Origin');
    },
  );

  test('whoever answers, the page is told that it may read it', async () => {
    const told = { 'access-control-allow-origin': 'https://app.example', vary: 'Origin' };
    const good = await ask('/cors', { origin: 'https://app.example', 'x-api-key': KEY });
    expect(good).toMatchObject({
      status: 200,
      headers: { ...told, 'access-control-expose-headers': 'x-count' },
    });
    const refused = await ask('/cors', { origin: 'https://app.example' });
    expect(refused).toMatchObject({ status: 401, headers: told });
  });

  test('where all origins may, none is named and no credentials are let in', async () => {
    const answer = await preflight('/open', 'null', 'x-one, x-two');
    expect(answer).toMatchObject({
      status: 204,
      headers: { 'access-control-allow-origin': '*', 'access-control-allow-headers': 'x-one, x-two' },
    });
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
  });

  test('who shows a key is known to the backend by name, and the key goes no further', async () => {
    const answer = await ask('/key', { 'X-Api-Key': KEY, 'x-consumer': 'admin' });
    expect(answer.status).toBe(200);
    expect(seen(answer.text)).toMatchObject({ 'x-consumer': 'shop' });
    expect(answer.text).not.toContain(KEY);
  });

  test.each([undefined, '', 'wrong', `${KEY}x`, KEY.toUpperCase(), `${KEY}, ${KEY}`])(
    'the key %j is refused and counted',
    async (key) => {
      const route = lane.endsWith('plugin') ? 'zip-key' : 'key';
      const count = async () =>
        await fleet.fleet.metrics.sum('usher_traffic_answers_total', { route, reason: 'key' });
      const before = await count();
      const answer = await ask('/key', key === undefined ? {} : { 'x-api-key': key });
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toBe('ApiKey header="x-api-key"');
      expect(JSON.parse(answer.text)).toMatchObject({ code: 'unauthorized' });
      expect(await count()).toBe(before + 1);
    },
  );

  test('a route has a limit of its own for bodies', async () => {
    expect((await ask('/small', {}, 'POST', '12345')).status).toBe(200);
    expect((await ask('/small', {}, 'POST', '123456')).status).toBe(413);
    expect((await ask('/open', {}, 'POST', '123456')).status).toBe(200);
  });

  test('the id of a request stands where the route says, on both ends', async () => {
    const answer = await ask('/ids', { 'x-trace': 'mine', 'x-request-id': 'other' });
    expect(answer.headers).toMatchObject({ 'x-trace': 'mine', 'x-request-id': 'mine' });
    expect(seen(answer.text)).toMatchObject({ 'x-trace': 'mine', 'x-request-id': 'mine' });
    const made = await ask('/ids', { 'x-trace': 'no token' });
    expect(made.headers['x-trace']).toBe(made.headers['x-request-id']);
    expect(made.headers['x-trace']).not.toBe('no token');
  });

  test.each(['/fresh', '/proxy'])('nobody brings an id where he is not trusted (%s)', async (path) => {
    const { headers, text } = await ask(path, { 'x-request-id': 'mine' });
    expect(headers['x-request-id']).not.toBe('mine');
    expect(seen(text)['x-request-id']).toBe(headers['x-request-id']);
  });
});
