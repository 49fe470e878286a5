import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { AdminRefusals } from '@usher/domain';
import { RecordingLog, SimulatedClock } from '@usher/testing';
import { afterEach, expect, test } from 'vitest';
import { type AdminServerOptions, createAdminApp, startAdminServer } from './admin-server.ts';
import { systemRandom } from './random.ts';

const TOKEN = { name: 'ops', secret: 'a-token-of-ours', role: 'operate' } as const;
const LIMITS = { bodyBytes: 1024, connections: 4, connectionsPerIp: 2, requestsPerS: 5 };
const headers = { 'x-api-key': TOKEN.secret };

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function options(changes: Partial<AdminServerOptions> = {}) {
  const clock = new SimulatedClock();
  const told: AdminRefusals[] = [];
  const all: AdminServerOptions = {
    host: '127.0.0.1',
    port: 0,
    tokens: [TOKEN],
    allow: ['0.0.0.0/0', '::/0'],
    limits: LIMITS,
    clock,
    log: new RecordingLog(),
    random: systemRandom(),
    health: () => ({ status: 'ok', services: [] }),
    onRefusals: (refusals) => {
      told.push(refusals);
      return true;
    },
    register: (app) => {
      app.get('/read', { config: { role: 'read' } }, () => ({}));
      app.post('/operate', { config: { role: 'operate' } }, () => ({}));
    },
    ...changes,
  };
  return { all, clock, told };
}

function build(changes: Partial<AdminServerOptions> = {}) {
  const { all, clock, told } = options(changes);
  const app = createAdminApp(all);
  closing.push(() => app.close());
  const times = async (count: number, remoteAddress: string, more: Record<string, string> = {}) => {
    const codes: number[] = [];
    for (let sent = 0; sent < count; sent++) {
      const answer = await app.inject({ url: '/read', remoteAddress, headers: { ...headers, ...more } });
      codes.push(answer.statusCode);
    }
    return codes;
  };
  return { app, clock, told, times };
}

const forwarded = (address: string) => ({ 'x-forwarded-for': address });
const all = (count: number, code: number) => Array.from({ length: count }, () => code);

test('an address may send what two seconds give, then what each second gives, and others are not held up', async () => {
  const { clock, times } = build();
  expect(await times(12, '192.0.2.1')).toEqual([...all(10, 200), 429, 429]);
  expect(await times(1, '192.0.2.2')).toEqual([200]);
  clock.advance(1000);
  expect(await times(6, '192.0.2.1')).toEqual([...all(5, 200), 429]);
  // What is saved up has an end.
  clock.advance(3_600_000);
  expect(await times(11, '192.0.2.1')).toEqual([...all(10, 200), 429]);
});

test('too many requests are answered with when to come again, without a look at the token', async () => {
  const { app, times } = build();
  await times(10, '192.0.2.1');
  const answer = await app.inject({
    url: '/read',
    remoteAddress: '192.0.2.1',
    headers: { 'x-api-key': 'x' },
  });
  expect(answer.json()).toMatchObject({ code: 'rate_limited', status: 429 });
  expect(answer.headers).toMatchObject({ 'retry-after': '1', connection: 'close' });
});

test('an IPv6 client cannot save itself by another address of its network, nor an IPv4 one by its IPv6 form', async () => {
  const { times } = build();
  await times(10, '2001:db8::1');
  expect(await times(1, '2001:db8::ffff:2')).toEqual([429]);
  expect(await times(1, '2001:db8:0:1::1')).toEqual([200]);
  await times(10, '192.0.2.1');
  expect(await times(1, '::ffff:192.0.2.1')).toEqual([429]);
});

test('health has the same limit', async () => {
  const { app, times } = build();
  await times(10, '192.0.2.1');
  expect((await app.inject({ url: '/v1/health', remoteAddress: '192.0.2.1' })).statusCode).toBe(429);
});

test('X-Forwarded-For gives nobody another address, unless a trusted proxy says so', async () => {
  const { times } = build({ trustedProxies: ['10.0.0.0/8'] });
  await times(10, '192.0.2.1');
  expect(await times(1, '192.0.2.1', forwarded('198.51.100.1'))).toEqual([429]);
  await times(10, '10.0.0.1', forwarded('198.51.100.1'));
  expect(await times(1, '10.0.0.1', forwarded('198.51.100.1'))).toEqual([429]);
  // What the client itself wrote stands before what the proxy added.
  expect(await times(1, '10.0.0.2', forwarded('203.0.113.9, 198.51.100.1'))).toEqual([429]);
  expect(await times(1, '10.0.0.1', forwarded('203.0.113.9'))).toEqual([200]);
});

test('of more addresses than can be remembered, some are forgotten and nothing grows', async () => {
  const { app, times } = build();
  for (let n = 0; n < 10_050; n++) {
    const remoteAddress = `198.18.${n >> 8}.${n & 255}`;
    await app.inject({ url: '/read', remoteAddress, headers });
  }
  expect(await times(11, '198.18.39.1')).toContain(429);
});

test('a body that is too large is refused as soon as it says so, and when it turns out to be', async () => {
  const { app } = build();
  const post = async (payload: string) =>
    (
      await app.inject({
        method: 'POST',
        url: '/operate',
        payload,
        headers: { ...headers, 'content-type': 'application/json' },
      })
    ).statusCode;
  expect(await post(JSON.stringify('x'.repeat(1022)))).toBe(200);
  expect(await post(JSON.stringify('x'.repeat(1023)))).toBe(413);
});

const answers = async (socket: Socket): Promise<boolean> => {
  socket.write('GET /v1/health HTTP/1.1\r\nhost: localhost\r\n\r\n');
  const ended = once(socket, 'close').catch(() => []);
  const [data] = (await Promise.race([once(socket, 'data'), ended])) as [Buffer | boolean | undefined];
  return Buffer.isBuffer(data) && String(data).startsWith('HTTP/1.1 200 ');
};

test('an address may have so many connections, and one more when one of them is closed', async () => {
  const { all: settings, told, clock } = options();
  const server = await startAdminServer(settings);
  closing.push(() => server.close());
  const open = async (localAddress: string): Promise<Socket> => {
    const socket = connect({ port: server.port, host: '127.0.0.1', localAddress });
    closing.push(() => socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  const first = await open('127.0.0.1');
  const second = await open('127.0.0.1');
  expect([await answers(first), await answers(second)]).toEqual([true, true]);
  expect(await answers(await open('127.0.0.1'))).toBe(false);
  // Others still get in, up to the most of all.
  const others = [await open('127.0.0.2'), await open('127.0.0.3')];
  for (const other of others) expect(await answers(other)).toBe(true);
  expect(await answers(await open('127.0.0.4'))).toBe(false);
  clock.advance(1000);
  expect(told[0]?.refusals).toContainEqual({ cause: 'connections', address: '127.0.0.1', count: 1 });
  first.end();
  await once(first, 'close');
  expect(await answers(await open('127.0.0.1'))).toBe(true);
});
