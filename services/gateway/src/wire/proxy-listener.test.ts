import { afterEach, expect, it } from 'vitest';
import { ProxySenders } from '../proxy-protocol/senders.ts';
import { proxyHeaderV2 } from '../proxy-protocol/write.ts';
import { Harness, type HarnessOptions } from './testing/harness.ts';
import { answering, ok } from './testing/raw-backend.ts';
import { type RawSocket, readMessage, statusOf, until } from './testing/raw-socket.ts';

let harness: Harness;

afterEach(() => harness.stop());

const GET = 'GET / HTTP/1.1\r\nHost: any\r\n\r\n';
const V1 = 'PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n';
const V2 = proxyHeaderV2({ address: '2001:db8::7', port: 4711 }, { address: '2001:db8::1', port: 80 });

async function start(options: HarnessOptions = {}, from: readonly string[] = []): Promise<RawSocket> {
  const backend = answering(({ headers }) => ok(headers['x-forwarded-for']));
  harness = await Harness.start([backend], { senders: new ProxySenders(from), ...options });
  return harness.connect();
}

it.each([
  ['version 1', V1, '192.0.2.7'],
  ['version 2', V2.toString('latin1'), '2001:db8::7'],
  ['a sender that speaks for itself', '\r\n\r\n\0\r\nQUIT\n\x20\0\0\0', '127.0.0.1'],
  ['a sender that does not know', 'PROXY UNKNOWN\r\n', '127.0.0.1'],
])('the client is whom %s names, for every request of the connection', async (_, header, address) => {
  const client = await start();
  client.send(header + GET);
  expect((await readMessage(client)).body).toBe(address);
  client.send(GET);
  expect((await readMessage(client)).body).toBe(address);
});

it.each([
  ['version 1', V1],
  ['version 2', V2.toString('latin1')],
])('%s may come in any pieces', async (_, header) => {
  const client = await start();
  await client.sendSlowly(header + GET);
  expect(statusOf(await readMessage(client))).toBe(200);
});

it.each([
  ['without the header', GET],
  ['with a malformed header', `PROXY TCP4 192.0.2.7 x 1 2\r\n${GET}`],
])('a connection %s is closed without an answer', async (_, text) => {
  const client = await start();
  client.send(text);
  await client.untilClosed();
  expect(client.received).toBe(0);
  expect(harness.counters.badRequests).toBe(1);
  expect(harness.lane.counts.connectionsOpen).toBe(0);
});

it('a header that does not come in time, or only in part, ends the connection', async () => {
  const client = await start();
  client.send(V1.slice(0, 20));
  await until(() => harness.arriving === 1, 'begun');
  harness.advance(10_500);
  await client.untilClosed();
  const other = harness.connect();
  other.send(V1.slice(0, 20));
  other.socket.end();
  await other.untilClosed();
  expect(client.received + other.received).toBe(0);
});

it('only those who are named send the header; that of others is no valid request', async () => {
  const client = await start({}, ['192.0.2.0/24']);
  client.send(GET);
  expect((await readMessage(client)).body).toBe('127.0.0.1');
  client.send(V1 + GET);
  expect(statusOf(await readMessage(client))).toBe(400);
  await harness.stop();
  const trusted = await start({}, ['127.0.0.0/8']);
  trusted.send(V1 + GET);
  expect((await readMessage(trusted)).body).toBe('192.0.2.7');
});

it('the named client decides what it may forward and how many connections it may have', async () => {
  const client = await start({ trustedProxies: ['192.0.2.0/24'], limits: { connectionsPerIp: 1 } });
  client.send(`${V1}GET / HTTP/1.1\r\nHost: any\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n`);
  expect((await readMessage(client)).body).toBe('203.0.113.9, 192.0.2.7');
  const other = harness.connect();
  other.send(V2.toString('latin1') + GET);
  expect(statusOf(await readMessage(other))).toBe(200);
  const again = harness.connect();
  again.send(V1 + GET);
  expect(statusOf(await readMessage(again))).toBe(429);
});

it('the plugin lane is told who the client is', async () => {
  const client = await start();
  client.send(`${V1}GET /plugin/x HTTP/1.1\r\nHost: any\r\n\r\n`);
  await until(() => harness.handedOver.length === 1, 'handed over');
  const [{ head, client: address, socket }] = [harness.handedOver[0]!];
  expect([head.toString(), address]).toEqual(['GET /plugin/x HTTP/1.1\r\nHost: any\r\n\r\n', '192.0.2.7']);
  socket.destroy();
});
