import { constants, performServerHandshake, type ServerOptions } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { makeCertificate } from '@usher/testing';
import { afterEach, expect, test } from 'vitest';
import { Harness, type HarnessOptions } from '../wire/testing/harness.ts';
import { RawBackend } from '../wire/testing/raw-backend.ts';
import { until } from '../wire/testing/raw-socket.ts';
import { Backend, type Request } from './testing/backend.ts';
import { Client } from './testing/client.ts';

type Handle = (request: Request) => void;

let harness: Harness;
let client: Client;
const backends: Backend[] = [];

async function start(handles: readonly Handle[], options: HarnessOptions = {}, server: ServerOptions = {}) {
  for (const handle of handles) backends.push(await Backend.start(handle, server));
  harness = await Harness.start([], {
    ...options,
    urls: options.urls ?? backends.map(({ url }) => url),
    toHttp2: true,
  });
  client = await new Client(`http://127.0.0.1:${harness.port}`).connected();
  return backends[0]!;
}

afterEach(async () => {
  client.close();
  await Promise.all(backends.splice(0).map((backend) => backend.stop()));
  await harness.stop();
});

const fine: Handle = ({ stream }) => {
  stream.respond({ ':status': 200 });
  stream.end('fine');
};

const breaking: Handle = ({ stream }) => stream.close(constants.NGHTTP2_INTERNAL_ERROR);

test('a client that leaves cancels its stream and no other', async () => {
  const held: Request[] = [];
  const backend = await start([(request) => held.push(request)]);
  const gone = client.begin({ ':method': 'POST' });
  gone.stream.write('a');
  const other = client.begin({}, '');
  await until(() => held.length === 2, 'both');
  gone.stream.close(constants.NGHTTP2_CANCEL);
  await until(() => backend.resets.length === 1, 'cancelled');
  expect(backend.resets).toEqual([constants.NGHTTP2_CANCEL]);
  expect(held[0]!.stream.readableEnded).toBe(false);
  fine(held[1]!);
  expect(await other.over()).toMatchObject({ body: 'fine' });
});

test('what a backend refuses is tried elsewhere, even what must not happen twice', async () => {
  let refused = 0;
  const refusing: Handle = ({ stream }) => {
    refused += 1;
    stream.close(constants.NGHTTP2_REFUSED_STREAM);
  };
  await start([refusing, fine]);
  for (let i = 0; i < 2; i++)
    expect(await client.ask({ ':method': 'POST' }, 'abc')).toMatchObject({ status: 200, body: 'fine' });
  expect(refused).toBe(2);
  expect(harness.counters.retries).toBe(2);
});

test('a stream that breaks after it was taken is not tried again unless it may', async () => {
  await start([breaking, fine]);
  const posts = [await client.ask({ ':method': 'POST' }, 'a'), await client.ask({ ':method': 'POST' }, 'a')];
  expect(new Set(posts.map(({ status }) => status))).toEqual(new Set([200, 502]));
  expect(await client.ask('/')).toMatchObject({ status: 200 });
  expect(await client.ask('/')).toMatchObject({ status: 200 });
});

test('a session that goes away finishes what it has, and the next request gets another', async () => {
  const held: Request[] = [];
  const backend = await start([(request) => held.push(request)]);
  const first = client.begin({}, '');
  await until(() => held.length === 1, 'the first');
  for (const session of backend.sessions) session.close();
  const second = client.begin({ ':method': 'POST' }, 'a');
  await until(() => held.length === 2, 'the second');
  expect(backend.sessionsSeen).toBe(2);
  for (const request of held) fine(request);
  expect(await first.over()).toMatchObject({ body: 'fine' });
  expect(await second.over()).toMatchObject({ body: 'fine' });
});

test('requests of a session that is lost end as those of a connection do', async () => {
  const backend = await start([() => {}], { retry: { attempts: 0, budgetRatio: 0.2 } });
  const asked = client.begin({ ':method': 'POST' }, 'a');
  await until(() => backend.requests.length === 1, 'on its way');
  for (const session of backend.sessions) session.destroy();
  expect(await asked.over()).toMatchObject({ status: 502 });
  expect(harness.table.outcomes).toEqual(['backend_closed']);
});

test('a response that breaks off is reset', async () => {
  await start([
    ({ stream }) => {
      stream.respond({ ':status': 200 });
      stream.write('abc', () => stream.destroy(new Error('broken')));
    },
  ]);
  const asked = client.begin({}, '');
  await until(() => asked.closed, 'closed');
  expect(asked.code).toBe(constants.NGHTTP2_INTERNAL_ERROR);
});

test.each([
  ['agrees to HTTP/2', ['h2'], 200],
  ['agrees to HTTP/1.1 alone', ['http/1.1'], 502],
  ['agrees to nothing', [], 502],
] as const)('over TLS, a backend that %s is answered for with %2$i', async (_what, protocols, status) => {
  const server = createTlsServer(
    { ...makeCertificate(), ALPNProtocols: [...protocols] },
    (socket) => void performServerHandshake(socket).on('stream', (stream) => fine({ stream, headers: {} })),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await start([], { urls: [`https://127.0.0.1:${(server.address() as AddressInfo).port}`] });
  harness.apply({ kind: 'tls', pool: 'web', tls: { verify: false } });
  expect(await client.ask('/')).toMatchObject({ status });
  server.close();
});

test('a backend that refuses connections, or speaks HTTP/1.1, is a 502', async () => {
  await start([], { urls: ['http://127.0.0.1:1'] });
  expect(await client.ask('/')).toMatchObject({ status: 502 });
  client.close();
  await harness.stop();
  const old = await RawBackend.start((connection) => connection.send('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await start([], { urls: [old.url] });
  expect(await client.ask('/')).toMatchObject({ status: 502 });
  await old.stop();
});
