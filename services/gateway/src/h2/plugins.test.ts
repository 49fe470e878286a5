import type { RequestListener } from 'node:http';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { PolicySettings } from '@usher/domain';
import { afterEach, expect, test } from 'vitest';
import { admissionTo } from '../testing/admission.ts';
import { route } from '../testing/fixtures.ts';
import { startListener } from '../testing/http.ts';
import { backend, closeAll, closeLater, lane, TEXT, text, zipped } from '../testing/plugin-lane.ts';
import { WireCounters } from '../wire/counters.ts';
import { Dialler } from '../wire/dialler.ts';
import { createWireLane } from '../wire/lane.ts';
import { until } from '../wire/testing/raw-socket.ts';
import { Client } from './testing/client.ts';

afterEach(closeAll);

/** Both lanes of a worker, as far as a client of HTTP/2 has to do with them. */
async function start(handle: RequestListener, policy: Partial<PolicySettings> = zipped) {
  const { url, seen } = await backend('web', handle);
  const behind = await lane([url], policy);
  const counters = new WireCounters();
  const wire = createWireLane({
    table: behind.table,
    dialler: new Dialler({ log: behind.log, now: Date.now, onUnreachable: () => {} }),
    now: Date.now,
    newRequestId: () => 'id',
    admission: admissionTo(behind.table),
    locate: () => undefined,
    handOver: (socket, head, peer) => behind.plugins.accept(socket, head, peer),
    counters,
    log: behind.log,
    workers: 1,
  });
  const listener = await startListener((socket) => wire.accept(socket, true));
  const client = await new Client(`http://127.0.0.1:${listener.port}`).connected();
  closeLater(() => wire.drain(0));
  closeLater(listener.close);
  closeLater(() => client.close());
  return { client, counters, behind, seen };
}

test('a route with plugins serves streams too', async () => {
  const { client, counters, behind, seen } = await start(text());
  const chunks: Buffer[] = [];
  const stream = client.session.request({ ':authority': 'h', ':path': '/a', 'accept-encoding': 'gzip' });
  let headers: Record<string, unknown> = {};
  stream.on('response', (given) => (headers = given));
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await until(() => stream.readableEnded, 'answer');
  expect(headers).toMatchObject({ ':status': 200, 'content-encoding': 'gzip', 'x-request-id': 'id' });
  expect(gunzipSync(Buffer.concat(chunks)).toString()).toBe(TEXT);
  expect(seen[0]?.headers).toMatchObject({ 'x-forwarded-for': '127.0.0.1', host: 'h', 'x-request-id': 'id' });
  await until(() => behind.plugins.connections === 0, 'nothing is left');
  expect(behind.answered()).toEqual({ zip: '2xx × 1', total: '2xx × 1' });
  expect([...counters.requestsByClass].some((count) => count > 0)).toBe(false);
});

test.each([
  ['gzip, deflate, br, zstd', 'zstd', zstdDecompressSync],
  ['gzip, br', 'br', brotliDecompressSync],
] as const)('streams that accept %s are compressed in %s', async (accepted, coding, decode) => {
  const plugins = [{ name: 'compression', options: {} }];
  const routes = [route({ id: 'c', path: '/*', pool: 'web', plugins })];
  const { client } = await start(text(), { routes });
  const chunks: Buffer[] = [];
  const stream = client.session.request({ ':authority': 'h', ':path': '/a', 'accept-encoding': accepted });
  let headers: Record<string, unknown> = {};
  stream.on('response', (given) => (headers = given));
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await until(() => stream.readableEnded, 'answer');
  expect(headers).toMatchObject({ ':status': 200, 'content-encoding': coding, vary: 'accept-encoding' });
  expect(headers['content-length']).toBeUndefined();
  expect(decode(Buffer.concat(chunks)).toString()).toBe(TEXT);
});

test('bodies pass through plugins', async () => {
  const { client } = await start((request, response) => request.pipe(response));
  const body = 'abc'.repeat(100_000);
  const answer = await client.ask({ ':method': 'POST', 'content-type': 'text/plain' }, body);
  expect(answer).toMatchObject({ status: 200 });
  expect(answer.body === body).toBe(true);
});

test('a client that leaves ends its request in the plugin lane', async () => {
  const { client, behind } = await start(() => {});
  const asked = client.begin({}, '');
  await until(() => behind.slot(0).inFlight === 1, 'on its way');
  asked.stream.close(8);
  await until(() => behind.slot(0).inFlight === 0 && behind.plugins.connections === 0, 'given up');
  expect(behind.counters.clientAborts).toBe(1);
});
