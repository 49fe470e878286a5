import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { policy, pool, route } from '../testing/fixtures.ts';
import { ask, oneConnection, startListener, until } from '../testing/http.ts';
import {
  accepting,
  backend,
  closeAll,
  closeLater,
  GZIP,
  lane,
  problem,
  text,
} from '../testing/plugin-lane.ts';

afterEach(closeAll);

describe('proxying', () => {
  test('passes method, path, query, body and answer through unchanged', async () => {
    const echo = await backend('echo', (request, response) => {
      response.writeHead(201, { 'x-seen': `${request.method} ${request.url}` });
      request.pipe(response);
    });
    const { port, answered } = await lane([echo.url]);
    const path = '/a%20b/./c?x=1&y=%2F&x=2';
    const answer = await ask(port, {
      method: 'POST',
      path,
      body: '{"a":1}',
      headers: { 'content-type': 'application/json' },
    });
    expect(answer).toMatchObject({ status: 201, text: '{"a":1}' });
    expect(answer.headers['x-seen']).toMatch(/^POST \/a%20b\/(\.\/)?c\?x=1&y=%2F&x=2$/);
    expect(answered()).toEqual({ all: '2xx × 1', total: '2xx × 1' });
  });

  test('tells the backend about the client and believes no client that says it is somebody else', async () => {
    const one = await backend('one');
    const { port } = await lane([one.url]);
    const headers = {
      host: 'shop.example',
      'x-forwarded-for': '9.9.9.9',
      forwarded: 'for=9.9.9.9',
      x_forwarded_for: '9.9.9.9',
      'x-real_ip': '9.9.9.9',
      te: 'trailers',
    };
    const answer = await ask(port, { headers: { ...headers, connection: 'close, x-drop', 'x-drop': '1' } });
    const seen = one.seen[0]!.headers;
    expect(seen).toMatchObject({
      host: 'shop.example',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'shop.example',
      'x-request-id': 'id-1',
    });
    expect(Object.keys(seen)).not.toContain('x-drop');
    expect(Object.keys(seen)).not.toContain('forwarded');
    expect(JSON.stringify(seen)).not.toContain('9.9.9.9');
    expect(answer.headers['x-request-id']).toBe('id-1');
  });

  test('passes on a 304 that tells the length of what was not modified', async () => {
    const one = await backend('one', (request) => {
      request.socket.end('HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: "a"\r\n\r\n');
    });
    const { port } = await lane([one.url]);
    const answer = await ask(port);
    expect(answer).toMatchObject({ status: 304, text: '', headers: { etag: '"a"' } });
  });

  test('serves as many requests on a connection as one may serve', async () => {
    const one = await backend('one');
    const { port } = await lane([one.url], { limits: { ...policy().limits, requestsPerConnection: 2 } });
    const agent = oneConnection();
    closeLater(() => agent.destroy());
    expect((await ask(port, { agent })).headers['connection']).toBe('keep-alive');
    expect((await ask(port, { agent })).headers['connection']).toBe('close');
  });

  test('sends a request away whose backends want to know the client of each connection', async () => {
    const one = await backend('one');
    const { port } = await lane([one.url], {}, pool({ proxyProtocol: 'v2' }));
    const answer = await ask(port);
    expect(problem(answer)).toMatchObject({ status: 421, code: 'misdirected' });
    expect(answer.headers['connection']).toBe('close');
    expect(one.seen).toHaveLength(0);
  });

  test('believes a trusted proxy and adds to what it says', async () => {
    const one = await backend('one');
    const { port } = await lane([one.url], { trustedProxies: ['127.0.0.0/8'] });
    const kept = { 'x-forwarded-proto': 'https', 'x-request-id': 'mine' };
    const given = { ...kept, 'x-forwarded-for': '9.9.9.9', forwarded: 'for=9.9.9.9' };
    const answer = await ask(port, { headers: { ...given, host: 'a.example' } });
    expect(one.seen[0]!.headers).toMatchObject({
      ...kept,
      'x-forwarded-for': '9.9.9.9, 127.0.0.1',
      forwarded: 'for=9.9.9.9, for=127.0.0.1;host=a.example;proto=http',
    });
    expect(answer.headers['x-request-id']).toBe('mine');
  });

  test('serves requests of several routes over one connection', async () => {
    const one = await backend('one', text());
    const { port } = await lane([one.url], {
      routes: [
        route({ id: 'zip', path: '/zip/*', pool: 'web', plugins: [GZIP] }),
        route({ id: 'plain', path: '/*', pool: 'web' }),
      ],
    });
    const agent = oneConnection();
    closeLater(() => agent.destroy());
    const encodings: (string | undefined)[] = [];
    for (const path of ['/zip/1', '/plain', '/zip/2']) {
      encodings.push((await ask(port, { path, agent, ...accepting('gzip') })).headers['content-encoding']);
    }
    expect(encodings).toEqual(['gzip', undefined, 'gzip']);
    expect(new Set(one.seen.map((each) => each.headers['x-request-id'])).size).toBe(3);
  });

  test('takes over a paused connection with what was read of it, and more requests behind that', async () => {
    const echo = await backend('echo', (request, response) => request.pipe(response));
    const { plugins } = await lane([echo.url]);
    const listener = await startListener((socket) => {
      socket.once('data', (head: Buffer) => {
        socket.pause();
        setImmediate(() => plugins.accept(socket, head, { address: '127.0.0.1', scheme: 'http' }));
      });
    });
    closeLater(() => listener.close());
    const client = connect(listener.port, '127.0.0.1');
    closeLater(() => client.destroy());
    let received = '';
    client.on('data', (chunk) => (received += chunk.toString()));
    client.write('POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\nfirst');
    await new Promise((resolve) => setImmediate(resolve));
    client.write('-partPOST / HTTP/1.1\r\nhost: h\r\ncontent-length: 6\r\n\r\nsecond');
    await until(() => received.includes('second'), 'both are answered');
    expect(received).toContain('first-part');
    client.write('NOT HTTP\r\n\r\n');
    await until(() => received.includes('"code":"bad_request"'), 'what is not HTTP is refused');
  });

  test('takes heads as long as the limit allows and refuses more', async () => {
    const one = await backend('one');
    const { port } = await lane([one.url], { limits: { ...policy().limits, headerCount: 20 } });
    expect((await ask(port, { headers: { 'x-long': 'x'.repeat(40_000) } })).text).toBe('one');
    expect((await ask(port, { headers: { 'x-long': 'x'.repeat(70_000) } })).status).toBe(431);
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, each) => [`x-${each}`, '1']));
    expect((await ask(port, { headers: many })).status).toBe(431);
  });

  test('refuses connections over the limit', async () => {
    const one = await backend('one');
    const { port } = await lane([one.url], { limits: { ...policy().limits, connections: 1 } });
    const agent = oneConnection();
    closeLater(() => agent.destroy());
    expect((await ask(port, { agent })).text).toBe('one');
    expect(await ask(port)).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1', connection: 'close' },
    });
    expect((await ask(port, { agent })).text).toBe('one');
  });

  test('answers what cannot be served with a problem', async () => {
    const { port, answered } = await lane([], { routes: [route({ id: 'x', path: '/x/*', pool: 'web' })] });
    expect(problem(await ask(port))).toMatchObject({
      type: expect.stringContaining('urn:usher'),
      code: 'no_route',
    });
    const none = await ask(port, { path: '/x/1' });
    expect(none).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1', 'content-type': 'application/problem+json' },
    });
    expect(JSON.parse(none.text)).toMatchObject({ code: 'no_backend' });
    expect(answered()).toEqual({ x: '5xx × 1', total: '4xx × 1,5xx × 1' });
  });

  test('refuses a body over the limit, announced or not', async () => {
    const one = await backend(
      'one',
      (request, response) => void request.resume().on('end', () => response.end('ok')),
    );
    const { port, slot } = await lane([one.url], { limits: { ...policy().limits, requestBodyBytes: 1000 } });
    const body = 'x'.repeat(1001);
    expect((await ask(port, { method: 'POST', body })).status).toBe(413);
    const chunked = { 'transfer-encoding': 'chunked' };
    expect((await ask(port, { method: 'POST', body, headers: chunked })).status).toBe(413);
    expect((await ask(port, { method: 'POST', body: body.slice(1), headers: chunked })).text).toBe('ok');
    expect(slot(0)).toMatchObject({ inFlight: 0, failures: 0 });
  });
});

describe('draining', () => {
  test('finishes what is under way, closes what is idle and takes nothing new', async () => {
    const gate = Promise.withResolvers<void>();
    const one = await backend('one', (request, response) => {
      if (request.url === '/slow') void gate.promise.then(() => response.end('slow'));
      else response.end('one');
    });
    const { port, plugins } = await lane([one.url]);
    const agent = oneConnection();
    closeLater(() => agent.destroy());
    await ask(port, { agent });
    const slow = ask(port, { path: '/slow' });
    await until(() => one.seen.length === 2, 'the slow request is under way');
    const drained = plugins.drain(5_000);
    await until(() => plugins.connections === 1, 'the idle connection is closed');
    gate.resolve();
    expect(await slow).toMatchObject({ text: 'slow', headers: { connection: 'close' } });
    await drained;
    expect(plugins.connections).toBe(0);
  });

  test('answers what comes over an idle connection before it closes it', async () => {
    const one = await backend('one');
    const { port, plugins } = await lane([one.url]);
    const agent = oneConnection();
    closeLater(() => agent.destroy());
    await ask(port, { agent });
    const drained = plugins.drain(5_000);
    expect(await ask(port, { agent })).toMatchObject({ text: 'one', headers: { connection: 'close' } });
    await drained;
  });

  test('gives up at its deadline', async () => {
    const one = await backend('one', () => {});
    const { port, plugins } = await lane([one.url]);
    const hanging = ask(port).catch((error: unknown) => error);
    await until(() => one.seen.length === 1, 'the request is under way');
    await plugins.drain(30);
    expect(await hanging).toBeInstanceOf(Error);
  });
});
