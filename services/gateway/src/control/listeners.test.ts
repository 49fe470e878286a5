import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startGateway } from '../index.ts';
import { policy, pool, route } from '../testing/fixtures.ts';
import { backendAt, TestFleet } from '../testing/fleet.ts';
import { startBackend, until } from '../testing/http.ts';
import type { ListenAddress } from '../worker/protocol.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

/** Less than a worker takes to listen. */
const STAGGER_MS = 20;

let fleet: TestFleet;
const closing: (() => unknown)[] = [];

beforeEach(() => {
  fleet = new TestFleet();
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  await fleet.close();
});

/** Whom each listener of a gateway says that the client is, on a route of either lane. */
async function clientsSeen(listen: readonly ListenAddress[], header: string): Promise<string[]> {
  const backend = await startBackend('one', (request, response) => {
    response.end(`<${request.headers['x-forwarded-for']?.toString()}>`);
  });
  closing.push(() => backend.close());
  const settings = policy({
    routes: [
      route({ id: 'zipped', path: '/zipped', pool: 'web', plugins: [{ name: 'gzip', options: {} }] }),
      route({ id: 'all', path: '/*', pool: 'web' }),
    ],
  });
  const fallback = { ...settings, pools: [pool()], backends: [backendAt('one', backend.url)] };
  const gateway = await startGateway(fleet.context(), { listen, workers: 1 }, fallback);
  closing.push(() => gateway.stop());
  const seen: string[] = [];
  for (const { port } of gateway.addresses) {
    const client = connect(port, '127.0.0.1');
    closing.push(() => client.destroy());
    let text = '';
    client.on('data', (chunk) => (text += chunk.toString()));
    client.write(`${header}GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /zipped HTTP/1.1\r\nHost: a\r\n\r\n`);
    const found = (): string[] => [...text.matchAll(/<(.*?)>/g)].map(([, address]) => address ?? '');
    await until(() => found().length === 2, 'both lanes answered');
    seen.push(...found());
  }
  return seen;
}

const loopback = { host: '127.0.0.1', port: 0 };

test('a listener takes the client from the PROXY protocol where it is told to', async () => {
  const header = 'PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n';
  const senders = { proxyProtocol: true, proxyProtocolFrom: ['127.0.0.0/8'] };
  const listen = [
    { ...loopback, proxyProtocol: true },
    { ...loopback, ...senders },
  ];
  expect(await clientsSeen(listen, header)).toEqual(Array<string>(4).fill('192.0.2.7'));
});

test('a listener takes the client from the socket otherwise', async () => {
  const elsewhere = { proxyProtocol: true, proxyProtocolFrom: ['192.0.2.0/24'] };
  expect(await clientsSeen([loopback, { ...loopback, ...elsewhere }], '')).toEqual(
    Array<string>(4).fill('127.0.0.1'),
  );
});

test('of gateways that start on one port at the same time one gets it, and the others say why they do not', async () => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  const settings = { ...policy(), pools: [pool()], backends: [] };
  const attempts = [];
  // One after the other, so that some come between another's look at the port and its listening there.
  for (const host of ['127.0.0.1', '127.0.0.1', '0.0.0.0', '127.0.0.1', '127.0.0.1', '127.0.0.1']) {
    const starting = startGateway(fleet.context(), { listen: [{ host, port }], workers: 1 }, settings);
    attempts.push(starting.then((gateway) => closing.push(() => gateway.stop())));
    await sleep(STAGGER_MS);
  }
  const starts = await Promise.allSettled(attempts);
  expect(starts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const start of starts) {
    if (start.status === 'rejected')
      expect(String(start.reason)).toContain(`:${port}: another process listens`);
  }
});
