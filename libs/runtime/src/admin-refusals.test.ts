import { once } from 'node:events';
import { connect } from 'node:net';
import type { AdminRefusals } from '@usher/domain';
import { RecordingLog, SimulatedClock } from '@usher/testing';
import { afterEach, expect, test } from 'vitest';
import { type AdminServerOptions, createAdminApp, startAdminServer } from './admin-server.ts';
import { systemRandom } from './random.ts';

const TOKENS = [
  { name: 'viewer', secret: 'the-token-of-a-viewer', role: 'read' },
  { name: 'beside-a', secret: 'the-token-of-an-agent', role: 'agent', backend: 'a' },
] as const;
const as = (secret: string) => ({ 'x-api-key': secret });
const VIEWER = as('the-token-of-a-viewer');

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function build(changes: Partial<AdminServerOptions> = {}) {
  const clock = new SimulatedClock();
  const log = new RecordingLog();
  const told: AdminRefusals[] = [];
  const listener = { isFull: false };
  const options: AdminServerOptions = {
    host: '127.0.0.1',
    port: 0,
    tokens: TOKENS,
    allow: ['0.0.0.0/0'],
    deny: ['192.0.2.66'],
    clock,
    log,
    random: systemRandom(),
    health: () => ({ status: 'ok', services: [] }),
    onRefusals: (refusals) => {
      if (!listener.isFull) told.push(refusals);
      return !listener.isFull;
    },
    register: (routes) => {
      routes.get('/read', { config: { role: 'read' } }, () => ({}));
      routes.post('/operate', { config: { role: 'operate' } }, () => ({}));
      routes.post('/stats/:backend', { config: { role: 'agent' } }, () => ({}));
    },
    ...changes,
  };
  const app = createAdminApp(options);
  closing.push(() => app.close());
  return { app, clock, log, told, listener, options };
}

test('each kind of refusal is told with its cause, where it came from and whose token it was', async () => {
  const { app, clock, told } = build();
  const call = async (remoteAddress: string, headers: Record<string, string>, url = '/read') => {
    const method = url === '/read' ? 'GET' : 'POST';
    return (await app.inject({ method, url, remoteAddress, headers })).statusCode;
  };
  expect(await call('192.0.2.66', VIEWER)).toBe(403);
  expect(await call('fd00::1', VIEWER)).toBe(403);
  expect(await call('192.0.2.1', {})).toBe(401);
  expect(await call('192.0.2.1', as('guess'))).toBe(401);
  expect(await call('192.0.2.1', as('another guess'))).toBe(401);
  expect(await call('192.0.2.1', VIEWER, '/operate')).toBe(403);
  expect(await call('192.0.2.1', as('the-token-of-an-agent'), '/stats/b')).toBe(403);
  expect(await call('192.0.2.1', { ...VIEWER, origin: 'https://evil.example' })).toBe(403);
  expect(await call('192.0.2.1', VIEWER)).toBe(200);
  clock.advance(1000);
  const address = '192.0.2.1';
  expect(told).toEqual([
    {
      windowMs: 1000,
      count: 8,
      refusals: [
        { cause: 'address', address: '192.0.2.66', count: 1 },
        { cause: 'address', address: 'fd00::1', count: 1 },
        { cause: 'no_token', address, count: 1 },
        { cause: 'wrong_token', address, count: 2 },
        { cause: 'role', address, who: 'viewer', count: 1 },
        { cause: 'role', address, who: 'beside-a', count: 1 },
        { cause: 'origin', address, count: 1 },
      ],
    },
  ]);
});

test('what is not HTTP is told too', async () => {
  const { options, clock, told } = build();
  const server = await startAdminServer(options);
  closing.push(() => server.close());
  const socket = connect(server.port, '127.0.0.1');
  socket.resume();
  socket.write('GET / HTTP/1.1\r\nhost: a\r\nbroken header\r\n\r\n');
  await once(socket, 'close');
  clock.advance(1000);
  expect(told[0]?.refusals).toEqual([{ cause: 'unreadable', address: '127.0.0.1', count: 1 }]);
});

test('the longer it goes on, the less often it is told, and nothing is lost of the count', async () => {
  const { app, clock, told } = build();
  const times: number[] = [];
  let lastTold = 0;
  const startMs = clock.now();
  for (let second = 0; second < 300; second++) {
    await app.inject({ url: '/read' });
    clock.advance(1000);
    if (told.length > lastTold) times.push((clock.now() - startMs) / 1000);
    lastTold = told.length;
  }
  expect(times).toEqual([1, 3, 7, 15, 31, 63, 123, 183, 243]);
  await app.close();
  expect(told.reduce((sum, { count }) => sum + count, 0)).toBe(300);
});

test('after a quiet time the first one is told soon again', async () => {
  const { app, clock, told } = build();
  await app.inject({ url: '/read' });
  clock.advance(1000);
  clock.advance(3_600_000);
  await app.inject({ url: '/read' });
  clock.advance(1000);
  expect(told.map(({ count, windowMs }) => [count, windowMs])).toEqual([
    [1, 1000],
    [1, 1000],
  ]);
});

test('the last ones are told at the end, with the time that they took in whole milliseconds', async () => {
  const { app, clock, told } = build();
  await app.inject({ url: '/read' });
  clock.advance(500.7);
  await app.close();
  expect(told).toMatchObject([{ count: 1, windowMs: 501 }]);
});

test('however many callers are refused, little is written', async () => {
  const { app, clock, told, log } = build({
    limits: { bodyBytes: 1024, connections: 9, connectionsPerIp: 9, requestsPerS: 1e6 },
  });
  for (let n = 0; n < 2000; n++)
    await app.inject({
      url: '/read',
      remoteAddress: `198.18.${n >> 8}.${n & 255}`,
      headers: as(`guess-${n}`),
    });
  clock.advance(1000);
  expect(told).toHaveLength(1);
  expect(told[0]?.count).toBe(2000);
  expect(told[0]?.refusals).toHaveLength(20);
  expect(log.entries).toHaveLength(11);
  expect(log.entries.at(-1)?.fields).toEqual({ count: 1990 });
});

test('what could not be told is told with what comes next', async () => {
  const { app, clock, told, listener } = build();
  listener.isFull = true;
  await app.inject({ url: '/read' });
  clock.advance(1000);
  listener.isFull = false;
  await app.inject({ url: '/read' });
  clock.advance(2000);
  expect(told).toMatchObject([{ count: 2, windowMs: 3000, refusals: [{ cause: 'no_token', count: 2 }] }]);
});

test('neither what was shown nor a query is written anywhere', async () => {
  const { app, clock, told, log } = build();
  await app.inject({ url: '/read?token=SECRET', headers: as('SECRET') });
  await app.inject({ url: '/read', headers: { authorization: 'Bearer SECRET' } });
  await app.inject({ url: '/read', headers: { authorization: 'Basic SECRET', cookie: 'a=SECRET' } });
  clock.advance(1000);
  expect(log.entries[0]).toMatchObject({
    message: 'an admin request was refused',
    fields: { path: '/read' },
  });
  expect(JSON.stringify([told, log.entries])).not.toContain('SECRET');
});
