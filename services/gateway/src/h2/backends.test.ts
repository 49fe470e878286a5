import type { ServerOptions } from 'node:http2';
import { afterEach, expect, test } from 'vitest';
import { Harness, type HarnessOptions } from '../wire/testing/harness.ts';
import { readMessage, until, untilStill } from '../wire/testing/raw-socket.ts';
import { Backend, bodyOf, type Request } from './testing/backend.ts';
import { Asked, Client } from './testing/client.ts';

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

const echo: Handle = ({ stream }) => {
  stream.respond({ ':status': 200 });
  stream.pipe(stream);
};

test('a client of HTTP/1.1 can talk to a backend of HTTP/2', async () => {
  const backend = await start([
    async ({ stream }) => {
      const body = await bodyOf(stream);
      stream.respond({ ':status': 201, 'x-a': ['1', '2'] }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-end': 'z' }));
      stream.end(body);
    },
  ]);
  const old = harness.connect();
  old.send(
    'POST /a?b HTTP/1.1\r\nHost: any\r\nTransfer-Encoding: chunked\r\nX-B: c\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  );
  const text = await old.takeThrough('x-end: z\r\n\r\n');
  expect(text).toMatch(/^HTTP\/1\.1 201 \r\nx-a: 1\r\nx-a: 2\r\n/);
  expect(text).toContain('transfer-encoding: chunked\r\n');
  expect(text).toContain('3\r\nabc\r\n0\r\nx-end: z\r\n\r\n');
  expect(Object.fromEntries(Object.entries(backend.requests[0]!.headers))).toEqual({
    ':method': 'POST',
    ':path': '/a?b',
    ':scheme': 'http',
    ':authority': 'any',
    'x-b': 'c',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'any',
    'x-request-id': 'id-1',
  });
  old.send('GET / HTTP/1.1\r\nHost: any\r\nContent-Length: 3\r\n\r\nabc');
  expect((await readMessage(old)).body).toBe('abc');
});

test('requests of many clients share one session', async () => {
  const backend = await start([fine]);
  expect(await client.ask('/')).toMatchObject({ status: 200, body: 'fine' });
  const all = await Promise.all(Array.from({ length: 50 }, () => client.ask('/')));
  expect(all.every(({ body }) => body === 'fine')).toBe(true);
  expect(backend.sessionsSeen).toBe(1);
});

test('requests that come before the session stands share it too', async () => {
  const backend = await start([fine]);
  const all = await Promise.all(Array.from({ length: 50 }, () => client.ask('/')));
  expect(all.every(({ body }) => body === 'fine')).toBe(true);
  expect(backend.sessionsSeen).toBe(1);
});

test('another session is opened when a backend takes no more streams on one', async () => {
  const held: Request[] = [];
  const backend = await start(
    [(request) => held.push(request)],
    {},
    { settings: { maxConcurrentStreams: 2 } },
  );
  const first = client.begin({}, '');
  await until(() => held.length === 1, 'the first');
  const others = [client.begin({}, ''), client.begin({}, '')];
  await until(() => held.length === 3, 'all of them');
  expect(backend.sessionsSeen).toBe(2);
  for (const request of held) fine(request);
  for (const asked of [first, ...others]) expect(await asked.over()).toMatchObject({ body: 'fine' });
});

test('a head that is the end stays so', async () => {
  await start([({ stream }) => stream.respond({ ':status': 200, 'grpc-status': '5' }, { endStream: true })]);
  expect(await client.ask('/')).toMatchObject({ status: 200, bare: true, headers: { 'grpc-status': '5' } });
  expect(await client.ask({ ':method': 'HEAD' })).toMatchObject({ status: 200, bare: true });
});

test('informational responses and empty ones pass', async () => {
  await start([
    ({ stream }) => {
      stream.additionalHeaders({ ':status': 103, link: '</a>' });
      stream.respond({ ':status': 204 });
      stream.end();
    },
  ]);
  expect(await client.ask('/')).toMatchObject({ status: 204, informational: [103], body: '' });
});

test('parts of the response pass while the request is open, and the other way round', async () => {
  await start([
    ({ stream }) => {
      stream.respond({ ':status': 200 });
      stream.on('data', (data: Buffer) => stream.write(`<${data.toString()}>`));
      stream.on('end', () => stream.end('.'));
    },
  ]);
  const asked = client.begin({ ':method': 'POST' });
  for (const part of ['a', 'b', 'c']) {
    asked.stream.write(part);
    await until(() => asked.body.endsWith(`<${part}>`), part);
  }
  asked.stream.end();
  expect(await asked.over()).toMatchObject({ body: '<a><b><c>.', code: 0 });
});

test('a large body passes both ways unchanged', async () => {
  await start([echo], {
    limits: { requestBodyBytes: 0 },
  });
  const body = 'abcdefgh'.repeat(500_000);
  const answer = await client.ask({ ':method': 'POST' }, body);
  expect(answer.body === body).toBe(true);
  const sized = await client.ask({ ':method': 'POST', 'content-length': String(body.length) }, body);
  expect(sized.body === body).toBe(true);
});

test('a client that does not read stops its backend, and no other stream', async () => {
  let sent = 0;
  await start([
    (request) => {
      if (request.headers[':path'] === '/small') {
        fine(request);
        return;
      }
      const { stream } = request;
      stream.respond({ ':status': 200 });
      const write = (): void => {
        for (let more = true; more && !stream.destroyed; sent += 65536)
          more = stream.write(Buffer.alloc(65536));
      };
      stream.on('drain', write);
      write();
    },
  ]);
  const slow = client.session.request({ ':authority': 'any' });
  slow.on('error', () => {});
  await untilStill(() => sent);
  expect(sent).toBeLessThan(32 * 2 ** 20);
  expect(await client.ask('/small')).toMatchObject({ body: 'fine' });
});

test('a session without requests is closed after its time', async () => {
  const backend = await start([fine]);
  await client.ask('/');
  harness.advance(3_000);
  await client.ask('/');
  expect(backend.sessionsSeen).toBe(1);
  harness.advance(5_000);
  await until(() => backend.sessions.size === 0, 'closed');
  expect(await client.ask('/')).toMatchObject({ status: 200 });
  expect(backend.sessionsSeen).toBe(2);
});

test('a backend that has stopped answering is noticed while requests wait for it', async () => {
  const backend = await start([({ stream }) => stream.respond({ ':status': 200 })]);
  const asked = client.begin({}, '');
  await until(() => asked.status === 200, 'head');
  let pinged = 0;
  for (const session of backend.sessions) session.on('ping', () => (pinged += 1));
  harness.advance(311_000);
  await until(() => pinged === 1, 'asked whether it lives');
  expect(asked.closed).toBe(false);
});

test('trailers of a request pass', async () => {
  let got: unknown;
  await start([
    (request) => {
      request.stream.on('trailers', (trailers) => {
        got = trailers['x-last'];
        fine(request);
      });
      request.stream.resume();
    },
  ]);
  const stream = client.session.request(
    { ':method': 'POST', ':authority': 'any' },
    { waitForTrailers: true },
  );
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-last': '1' }));
  const asked = new Asked(stream);
  stream.end('abc');
  expect(await asked.over()).toMatchObject({ body: 'fine' });
  expect(got).toBe('1');
});

test('a WebSocket is not opened to such a backend', async () => {
  const backend = await start([fine]);
  const old = harness.connect();
  old.send(
    'GET / HTTP/1.1\r\nHost: any\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n\r\n',
  );
  expect((await readMessage(old)).firstLine).toContain(' 200 ');
  expect(backend.requests[0]!.headers.upgrade).toBeUndefined();
});

test('a session on which a request waited in vain serves no other', async () => {
  let answers = false;
  const backend = await start([(request) => (answers ? fine(request) : undefined)], {
    retry: { attempts: 0, budgetRatio: 0 },
  });
  const asked = client.begin({}, '');
  await until(() => backend.requests.length === 1, 'the request is there');
  harness.advance(31_000);
  expect(await asked.over()).toMatchObject({ status: 504 });
  answers = true;
  expect(await client.ask('/')).toMatchObject({ status: 200, body: 'fine' });
  expect(backend.sessionsSeen).toBe(2);
});

test('what has no place in trailers of HTTP/2 is left out of them, and odd names are only names', async () => {
  const backend = await start([
    async ({ stream }) => {
      await bodyOf(stream);
      fine({ stream } as Request);
    },
  ]);
  const old = harness.connect();
  const trailers = 'HTTP2-Settings: a\r\nconstructor: c\r\n__proto__: p\r\nX-End: z\r\n';
  old.send(
    `POST / HTTP/1.1\r\nHost: any\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n${trailers}\r\n`,
  );
  expect((await readMessage(old)).body).toBe('fine');
  expect(backend.trailers).toEqual([['constructor', 'c', '__proto__', 'p', 'x-end', 'z']]);
});
