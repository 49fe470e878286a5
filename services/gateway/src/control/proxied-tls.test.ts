import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type { LimitSettings, TimeoutSettings } from '@usher/domain';
import { afterEach, expect, test, vi } from 'vitest';
import { startGateway } from '../index.ts';
import { proxyHeaderV2 } from '../proxy-protocol/write.ts';
import { policy, pool, route } from '../testing/fixtures.ts';
import { backendAt, TestFleet } from '../testing/fleet.ts';
import { startBackend, until } from '../testing/http.ts';
import { ListenerFiles, serverFor } from '../testing/tls.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

const closing: (() => unknown)[] = [];
let fleet: TestFleet;

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

interface Options {
  readonly timeouts?: Partial<TimeoutSettings>;
  readonly limits?: Partial<LimitSettings>;
  readonly from?: readonly string[];
  /** Without TLS. */
  readonly plain?: boolean;
}

/** A gateway with a TLS listener whose connections begin with a PROXY header; the backend says who the client is. */
async function start({ timeouts, limits, from = [], plain = false }: Options = {}): Promise<number> {
  const own = new TestFleet();
  fleet = own;
  closing.push(() => own.close());
  const backend = await startBackend('one', ({ headers }, response) => {
    response.end(`<${headers['x-forwarded-for']?.toString()} ${headers['x-forwarded-proto']?.toString()}>`);
  });
  const files = new ListenerFiles([serverFor('a.test')]);
  closing.push(
    () => backend.close(),
    () => files.remove(),
  );
  const defaults = policy();
  const settings = policy({
    timeouts: { ...defaults.timeouts, ...timeouts },
    limits: { ...defaults.limits, ...limits },
    routes: [
      route({ id: 'zipped', path: '/zipped', pool: 'web', plugins: [{ name: 'gzip', options: {} }] }),
      route({ id: 'all', path: '/*', pool: 'web' }),
    ],
  });
  const address = { host: '127.0.0.1', port: 0, proxyProtocol: true, proxyProtocolFrom: from };
  const listen = [plain ? address : { ...address, tls: files.source }];
  const fallback = { ...settings, pools: [pool()], backends: [backendAt('one', backend.url)] };
  const gateway = await startGateway(fleet.context(), { listen, workers: 1 }, fallback);
  closing.push(() => gateway.stop());
  return gateway.addresses[0]!.port;
}

function open(port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {});
  closing.push(() => socket.destroy());
  return socket;
}

/**
 * A client of TLS behind a proxy that writes `header`, in the same segment as the first bytes of the handshake when the
 * proxy is `hasty`, and byte by byte when it is slow.
 */
async function behind(
  port: number,
  header: Buffer,
  pace: 'hasty' | 'slow',
  options: ConnectionOptions = {},
): Promise<TLSSocket> {
  const outside = open(port);
  await once(outside, 'connect');
  if (pace === 'hasty') {
    outside.cork();
    outside.write(header);
  } else {
    for (const byte of header) {
      outside.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  const client = connectTls({ socket: outside, rejectUnauthorized: false, ...options });
  client.on('error', () => {});
  setImmediate(() => outside.uncork());
  return client;
}

/** What the answers to a request for each path say. */
async function told(client: Socket, ...paths: string[]): Promise<string[]> {
  let text = '';
  client.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  for (const path of paths) client.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  const found = (): string[] =>
    [...text.matchAll(/<(.*?)>|HTTP\/1.1 ([45]\d\d)/g)].map(([, a, b]) => a ?? b!);
  await until(() => found().length === paths.length || client.destroyed, 'everything is answered');
  return found();
}

/** As `told`, for one request in HTTP/2. */
async function toldInHttp2(origin: string, socket: Socket): Promise<string> {
  const session = connectHttp2(origin, { createConnection: () => socket });
  closing.push(() => session.destroy());
  const stream = session.request({ ':path': '/' });
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const V1 = Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n');
const V2 = proxyHeaderV2({ address: '2001:db8::7', port: 4711 }, { address: '2001:db8::1', port: 443 });
const UNKNOWN = Buffer.from('PROXY UNKNOWN\r\n');
const LOCAL = Buffer.from('\r\n\r\n\0\r\nQUIT\n\x20\0\0\0', 'latin1');

test.each([
  ['version 1', V1, '192.0.2.7'],
  ['version 2', V2, '2001:db8::7'],
  ['a sender that does not know', UNKNOWN, '127.0.0.1'],
  ['a sender that speaks for itself', LOCAL, '127.0.0.1'],
])('before a handshake %s names the client for both lanes', async (_what, header, address) => {
  const port = await start();
  for (const pace of ['hasty', 'slow'] as const) {
    const client = await behind(port, header, pace);
    const seen = `${address} https`;
    expect(await told(client, '/', '/', '/zipped'), pace).toEqual([seen, seen, seen]);
  }
  expect(await fleet.metrics.sum('usher_tls_handshakes_total')).toBe(2);
});

test('the client is named for HTTP/2 too, over TLS and in clear', async () => {
  const secured = await start();
  const secure = await behind(secured, V1, 'hasty', { ALPNProtocols: ['h2'] });
  expect(await toldInHttp2('https://a.test', secure)).toBe('<192.0.2.7 https>');
  const plain = await start({ plain: true });
  const outside = open(plain);
  outside.cork();
  outside.write(V2);
  setImmediate(() => outside.uncork());
  expect(await toldInHttp2('http://a.test', outside)).toBe('<2001:db8::7 http>');
});

test('whoever is not named as a sender shakes hands at once', async () => {
  const port = await start({ from: ['192.0.2.0/24'] });
  const client = await behind(port, Buffer.alloc(0), 'hasty');
  expect(await told(client, '/')).toEqual(['127.0.0.1 https']);
  expect(await told(await behind(port, V1, 'hasty'), '/')).toEqual([]);
});

test('the client that is named decides how many connections it may have', async () => {
  const port = await start({ limits: { connectionsPerIp: 1 } });
  expect(await told(await behind(port, V1, 'hasty'), '/')).toEqual(['192.0.2.7 https']);
  expect(await told(await behind(port, V2, 'hasty'), '/')).toEqual(['2001:db8::7 https']);
  expect(await told(await behind(port, V1, 'slow'), '/')).toEqual(['429']);
});

test('a connection without the header, or with part of one only, is closed', async () => {
  const port = await start({ timeouts: { requestHeaderMs: 200 } });
  expect(await told(await behind(port, Buffer.alloc(0), 'hasty'), '/')).toEqual([]);
  const [silent, slow, leaving] = [open(port), open(port), open(port)];
  slow.write(V1.subarray(0, 20));
  leaving.end(V1.subarray(0, 20));
  await Promise.all([silent, slow, leaving].map((socket) => once(socket.resume(), 'close')));
  expect(await fleet.metrics.sum('usher_bad_requests_total')).toBe(1);
  const later = open(port);
  later.write(V1);
  later.resume();
  await once(later, 'close');
  expect(await fleet.metrics.sum('usher_tls_handshake_failures_total', { reason: 'timeout' })).toBe(1);
});
