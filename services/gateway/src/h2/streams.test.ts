import { constants } from 'node:http2';
import { afterEach, expect, test } from 'vitest';
import { Harness, type HarnessOptions } from '../wire/testing/harness.ts';
import { answering, type BackendBehaviour, ok } from '../wire/testing/raw-backend.ts';
import { until, untilStill } from '../wire/testing/raw-socket.ts';
import { Asked, Client } from './testing/client.ts';

let harness: Harness;
const clients: Client[] = [];

async function start(behaviour: BackendBehaviour, options: HarnessOptions = {}): Promise<Client> {
  harness = await Harness.start([behaviour], options);
  const client = new Client(`${options.tls === true ? 'https' : 'http'}://127.0.0.1:${harness.port}`);
  clients.push(client);
  return client.connected();
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await harness.stop();
});

test.each([
  ['in clear, by prior knowledge', {}],
  ['over TLS, by agreement', { tls: true }],
  ['on a connection that is read as a stream', { asStreams: true }],
])('a client may speak HTTP/2 %s', async (_how, options) => {
  const client = await start(
    answering(() => ok('hello', 'x-a: 1\r\nX-A: 2\r\nset-cookie: a\r\nset-cookie: b\r\n')),
    options,
  );
  const answer = await client.ask('/a?b');
  expect(answer.status).toBe(200);
  expect(answer.body).toBe('hello');
  expect(answer.headers).toMatchObject({
    'x-a': '1, 2',
    'content-length': '5',
    'set-cookie': ['a', 'b'],
    'x-request-id': 'id-1',
  });
  const [request] = harness.backends[0]!.requests;
  expect(request?.firstLine).toBe('GET /a?b HTTP/1.1');
  expect(request?.headers).toEqual({
    host: 'any',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'tls' in options ? 'https' : 'http',
    'x-forwarded-host': 'any',
    'x-request-id': 'id-1',
  });
  expect(harness.counters.requestsByClass[2]).toBe(1);
});

test('a request with a length keeps it, and one without is chunked', async () => {
  const client = await start(answering(() => ok()));
  await client.ask({ ':method': 'POST', 'content-length': '3' }, 'abc');
  await client.ask({ ':method': 'POST' }, 'abcd');
  await client.ask({ ':method': 'POST' });
  const [sized, chunked, empty] = harness.backends[0]!.requests;
  expect(sized).toMatchObject({ body: 'abc', headers: { 'content-length': '3' } });
  expect(chunked).toMatchObject({ body: 'abcd', headers: { 'transfer-encoding': 'chunked' } });
  expect(empty).toMatchObject({ body: '', headers: { 'content-length': '0' } });
});

test('trailers pass both ways', async () => {
  const client = await start(async (connection) => {
    const request = await connection.takeThrough('x-last: 1\r\n\r\n');
    expect(request).toContain('te: trailers\r\n');
    expect(request).toContain('3\r\nabc\r\n0\r\nx-last: 1\r\n\r\n');
    connection.send('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nde\r\n');
    await new Promise((resolve) => setTimeout(resolve, 5));
    connection.send('0\r\nx-end: 2\r\nX-End: 3\r\n\r\n');
  });
  const stream = client.session.request(
    { ':method': 'POST', ':authority': 'any', te: 'trailers' },
    { waitForTrailers: true },
  );
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-last': '1' }));
  const asked = new Asked(stream);
  stream.end('abc');
  await asked.over();
  expect(asked.body).toBe('de');
  expect(asked.trailers).toMatchObject({ 'x-end': '2, 3' });
  expect(asked.headers['transfer-encoding']).toBeUndefined();
});

test('a response that is there at once keeps its trailers too', async () => {
  const client = await start(
    answering(() => 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nde\r\n0\r\nx-end: 2\r\n\r\n'),
  );
  const answer = await client.ask('/');
  expect(answer).toMatchObject({ body: 'de', trailers: { 'x-end': '2' } });
});

test.each([
  ['HEAD', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n', 200],
  ['GET', 'HTTP/1.1 204 No Content\r\n\r\n', 204],
  ['GET', 'HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n', 304],
  ['GET', 'HTTP/1.1 205 Reset Content\r\ncontent-length: 2\r\n\r\nab', 205],
  ['GET', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', 200],
])('%s answered with %j is a head that ends its stream', async (method, response, status) => {
  const client = await start(answering(() => response));
  const answer = await client.ask({ ':method': method });
  expect(answer).toMatchObject({ status, body: '', bare: true, code: 0 });
});

test('informational responses come first', async () => {
  const client = await start(
    answering(
      () => `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${ok('x')}`,
    ),
  );
  expect(await client.ask('/')).toMatchObject({ informational: [103, 102], status: 200, body: 'x' });
});

test('a response that ends with its connection ends the stream', async () => {
  const client = await start(async (connection) => {
    await connection.takeThrough('\r\n\r\n');
    connection.socket.end('HTTP/1.1 200 OK\r\n\r\nall');
  });
  expect(await client.ask('/')).toMatchObject({ body: 'all', ended: true, code: 0 });
});

test.each([
  ['with a length', 'content-length: 10\r\n\r\nabc'],
  ['in chunks', 'transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n'],
])('a response %s that breaks off is reset, never ended', async (_how, rest) => {
  const client = await start(async (connection) => {
    await connection.takeThrough('\r\n\r\n');
    connection.socket.end(`HTTP/1.1 200 OK\r\n${rest}`);
  });
  const asked = client.begin({});
  asked.stream.end();
  await until(() => asked.closed, 'closed');
  expect(asked.code).toBe(constants.NGHTTP2_INTERNAL_ERROR);
  expect(harness.counters.brokenResponses).toBe(1);
});

test('what Usher answers itself is a problem as in HTTP/1.1', async () => {
  const client = await start(
    answering(() => undefined),
    { retry: { attempts: 0, budgetRatio: 0.2 } },
  );
  const answer = await client.ask('/');
  expect(answer).toMatchObject({ status: 502, headers: { 'content-type': 'application/problem+json' } });
  expect(JSON.parse(answer.body)).toMatchObject({ code: 'backend_closed' });
  expect(await client.ask({ ':method': 'HEAD' })).toMatchObject({ status: 502, body: '' });
  expect(await client.ask({ ':authority': 'other' })).toMatchObject({ status: 404 });
  expect(await client.ask({ 'x-big': 'x'.repeat(62_000) })).toMatchObject({ status: 431 });
  const large = client.begin({ ':method': 'POST', 'content-length': String(2 ** 30) });
  expect(await large.over()).toMatchObject({ status: 413 });
  expect([...harness.counters.requestsByClass]).toEqual([0, 0, 0, 0, 3, 2]);
});

test('a body that turns out too long is answered while it is sent', async () => {
  const client = await start(() => {}, { limits: { requestBodyBytes: 1000 } });
  const asked = client.begin({ ':method': 'POST' });
  asked.stream.write('x'.repeat(2000));
  await until(() => asked.closed, 'closed');
  expect(asked).toMatchObject({ status: 413, code: constants.NGHTTP2_NO_ERROR });
});

test('crumbs of a cookie are one header again', async () => {
  const client = await start(answering(() => ok()));
  await client.ask({ cookie: ['a=1', 'b=2'] });
  expect(harness.backends[0]!.requests[0]?.headers['cookie']).toBe('a=1; b=2');
});

test('a CONNECT is refused', async () => {
  const client = await start(answering(() => ok()));
  const asked = new Asked(client.session.request({ ':method': 'CONNECT', ':authority': 'a:1' }));
  expect(await asked.over()).toMatchObject({ status: 501 });
});

test('a host that differs from the authority is refused', async () => {
  const client = await start(answering(() => ok()));
  expect(await client.ask({ host: 'ANY' })).toMatchObject({ status: 200 });
  expect(await client.ask({ host: 'other' })).toMatchObject({ status: 400 });
  expect(harness.counters.badRequests).toBe(1);
});

test('a client that resets its stream ends the attempt', async () => {
  const client = await start(() => {});
  const asked = client.begin({}, '');
  await until(() => harness.backends[0]?.open === 1, 'request on its way');
  asked.stream.close(constants.NGHTTP2_CANCEL);
  await until(() => harness.table.outcomes.length === 1, 'attempt over');
  expect(harness.table.outcomes).toEqual(['client_closed']);
  expect(harness.counters.clientAborts).toBe(1);
});

test('a hundred requests of one session are served at the same time', async () => {
  let waiting = 0;
  const client = await start(
    answering(async () => {
      waiting += 1;
      await until(() => waiting === 100, 'all of them');
      return ok('x');
    }),
  );
  const all = await Promise.all(Array.from({ length: 100 }, () => client.ask('/')));
  expect(all.every(({ body }) => body === 'x')).toBe(true);
});

test('a large body passes both ways unchanged', async () => {
  const body = 'abcdefgh'.repeat(500_000);
  const client = await start(
    answering((request) => ok(request.body)),
    { limits: { requestBodyBytes: 0 } },
  );
  const answer = await client.ask({ ':method': 'POST' }, body);
  expect(answer.body === body).toBe(true);
});

test('a client that does not read stops its backend, and no more than its stream', async () => {
  let sent = 0;
  const client = await start(async (connection) => {
    const head = await connection.takeThrough('\r\n\r\n');
    if (head.startsWith('GET /small ')) {
      connection.send(ok('small'));
      return;
    }
    connection.send(`HTTP/1.1 200 OK\r\ncontent-length: ${2 ** 30}\r\n\r\n`);
    const write = (): void => {
      while (connection.socket.write('x'.repeat(65536))) sent += 65536;
      sent += 65536;
    };
    connection.socket.on('drain', write);
    write();
  });
  const slow = client.session.request({ ':authority': 'any' });
  slow.on('error', () => {});
  await untilStill(() => sent);
  expect(sent).toBeLessThan(32 * 2 ** 20);
  expect(await client.ask('/small')).toMatchObject({ body: 'small' });
  harness.advance(60_001);
  await until(() => slow.destroyed || slow.closed, 'given up').catch(() => {});
  await until(() => harness.table.outcomes.includes('client_closed'), 'attempt ended');
});

test('a backend that does not take the body stops the client', async () => {
  const client = await start((connection) => void connection.socket.pause(), {
    limits: { requestBodyBytes: 0 },
  });
  const stream = client.session.request({ ':method': 'POST', ':authority': 'any' });
  stream.on('error', () => {});
  let sent = 0;
  const write = (): void => {
    while (sent < 2 ** 28 && stream.write(Buffer.alloc(65536))) sent += 65536;
    sent += 65536;
  };
  stream.on('drain', write);
  write();
  await untilStill(() => sent);
  expect(sent).toBeLessThan(32 * 2 ** 20);
});
