import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startGateway } from '../index.ts';
import { policy, pool, route } from '../testing/fixtures.ts';
import { backendAt, TestFleet } from '../testing/fleet.ts';
import { startBackend, until } from '../testing/http.ts';
import type { ListenAddress } from '../worker/protocol.ts';

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
