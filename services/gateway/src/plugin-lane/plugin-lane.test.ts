import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type RequestListener, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, createGunzip, gunzipSync } from 'node:zlib';
import { FastRandom, type PolicySettings } from '@usher/domain';
import { RecordingLog } from '@usher/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { WorkerTable } from '../table/worker-table.ts';
import { policy, pool, route, row } from '../testing/fixtures.ts';
import {
  type Answer,
  ask,
  freePort,
  oneConnection,
  startBackend,
  startListener,
  until,
} from '../testing/http.ts';
import { WireCounters } from '../wire/counters.ts';
import { PluginLane } from './plugin-lane.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function backend(name: string, handle?: RequestListener) {
  const started = await startBackend(name, handle);
  closing.push(() => started.close());
  return started;
}

/** Counts by class of status, each as `class × count`. */
function shown(cells: Float64Array): string {
  return [...cells.entries()]
    .flatMap(([status, count]) => (count === 0 ? [] : [`${status}xx × ${count}`]))
    .join();
}

/** A lane with a listener in front and backends behind. */
async function lane(urls: readonly string[], changes: Partial<PolicySettings> = {}, settings = pool()) {
  const table = new WorkerTable(policy(), new FastRandom({ next: () => 0.5 }), () => {});
  let position = 0;
  const set = (next: Partial<PolicySettings>) =>
    table.apply([{ kind: 'policy', policy: policy(next) }], ++position, Date.now());
  set(changes);
  table.apply(
    [
      { kind: 'pool', settings },
      ...urls.map((url, index) => ({ kind: 'backend', row: row(`b${index}`, { url }) }) as const),
    ],
    ++position,
    Date.now(),
  );
  const counters = new WireCounters();
  const log = new RecordingLog();
  let ids = 0;
  const plugins = new PluginLane({
    table,
    now: Date.now,
    newRequestId: () => `id-${++ids}`,
    counters,
    log,
    workers: 1,
  });
  const listener = await startListener((socket) => plugins.accept(socket, Buffer.alloc(0)));
  closing.push(() => plugins.drain(0), listener.close);
  const slot = (index: number) => table.match('', '/')!.pool.slots[index]!;
  const update = (next: Partial<PolicySettings>) => {
    set(next);
    plugins.update();
  };
  /** Answers so far by route, and all of them. */
  const answered = () => {
    const routes = table.routes.map(({ settings, answers }) => [settings.id, shown(answers)] as const);
    return { ...Object.fromEntries(routes), total: shown(counters.requestsByClass) };
  };
  return { ...listener, plugins, table, slot, update, answered, counters, log };
}

const GZIP = { name: 'gzip', options: { min_size: 100 } };
const TEXT = 'all work and no play makes a long text. '.repeat(100);
const zipped = { routes: [route({ id: 'zip', path: '/*', pool: 'web', plugins: [GZIP] })] };

function text(body = TEXT, headers: Record<string, string> = {}): RequestListener {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': body.length, ...headers });
    response.end(body);
  };
}

function accepting(encoding: string) {
  return { headers: { 'accept-encoding': encoding } };
}

async function pluginFile(source: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'usher-plugin-'));
  closing.push(() => rm(directory, { recursive: true }));
  const file = join(directory, 'plugin.mjs');
  await writeFile(file, source);
  return file;
}

function withPlugin(file: string, mark: string) {
  return {
    routes: [
      route({
        id: 'stamped',
        path: '/s/*',
        pool: 'web',
        plugins: [{ name: 'stamp', file, options: { mark } }],
      }),
      route({ id: 'all', path: '/*', pool: 'web' }),
    ],
  };
}

function problem(answer: Answer) {
  return { type: answer.headers['content-type'], ...(JSON.parse(answer.text) as object) };
}

/** A backend that turns every WebSocket into an echo. */
async function echoing() {
  const started = await backend('echo');
  started.server.on('upgrade', (request, socket, head) => {
    started.seen.push(request);
    if (request.url === '/refused') {
      socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno');
      return;
    }
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
    socket.write(head);
    socket.pipe(socket);
  });
  return started;
}

function dial(port: number, path: string, extra = '') {
  const client = connect(port, '127.0.0.1', () =>
    client.write(
      `GET ${path} HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n${extra}`,
    ),
  );
  closing.push(() => client.destroy());
  const received = { text: '', ended: false };
  client.on('data', (chunk) => (received.text += chunk.toString()));
  client.on('end', () => (received.ended = true));
  return Object.assign(received, { client });
}

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
    expect(answer.headers['x-request-id']).toBe('id-1');
  });

  test('believes a trusted proxy and adds to what it says', async () => {
    const one = await backend('one');
    const { port } = await lane([one.url], { trustedProxies: ['127.0.0.0/8'] });
    const given = { 'x-forwarded-for': '9.9.9.9', 'x-forwarded-proto': 'https', 'x-request-id': 'mine' };
    const answer = await ask(port, { headers: given });
    expect(one.seen[0]!.headers).toMatchObject({ ...given, 'x-forwarded-for': '9.9.9.9, 127.0.0.1' });
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
    closing.push(() => agent.destroy());
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
        setImmediate(() => plugins.accept(socket, head));
      });
    });
    closing.push(() => listener.close());
    const client = connect(listener.port, '127.0.0.1');
    closing.push(() => client.destroy());
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

  test('refuses connections over the limit', async () => {
    const one = await backend('one');
    const { port } = await lane([one.url], { limits: { ...policy().limits, connections: 1 } });
    const agent = oneConnection();
    closing.push(() => agent.destroy());
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

describe('attempts', () => {
  test('are counted once each, however they end', async () => {
    const failing = await backend('failing', (request, response) => {
      if (request.url === '/500') response.writeHead(500).end('no');
      else if (request.url === '/cut') {
        response.writeHead(200, { 'content-length': 100 }).write('half');
        setImmediate(() => request.socket.destroy());
      } else if (request.url === '/hang') return;
      else response.end('ok');
    });
    const { port, slot } = await lane(
      [failing.url],
      {},
      pool({ breaker: { ...pool().breaker, enabled: false } }),
    );
    await ask(port);
    expect(slot(0)).toMatchObject({ inFlight: 0, requests: 1, failures: 0 });
    expect((await ask(port, { path: '/500' })).text).toBe('no');
    expect(slot(0)).toMatchObject({ inFlight: 0, requests: 2, failures: 1 });
    await expect(ask(port, { path: '/cut' })).rejects.toThrow();
    expect(slot(0)).toMatchObject({ inFlight: 0, requests: 3, failures: 2 });
    const client = connect(port, '127.0.0.1', () => client.write('GET /hang HTTP/1.1\r\nhost: h\r\n\r\n'));
    await until(() => slot(0).inFlight === 1, 'the request is under way');
    client.destroy();
    await until(() => slot(0).inFlight === 0, 'the request is over');
    expect(counters.clientAborts).toBe(1);
    expect(slot(0)).toMatchObject({ requests: 4, failures: 2 });
  });

  test('go to another backend when the first cannot be reached, with the body, whatever the method', async () => {
    const echo = await backend('echo', (request, response) => request.pipe(response));
    const { port, slot, counters } = await lane([`http://127.0.0.1:${await freePort()}`, echo.url]);
    const body = JSON.stringify({ text: 'again' });
    const answer = await ask(port, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    expect(answer).toMatchObject({ status: 200, text: body });
    expect(slot(0)).toMatchObject({ inFlight: 0, requests: 1, failures: 1 });
    expect(slot(1)).toMatchObject({ inFlight: 0, requests: 1, failures: 0 });
  });

  test('are not repeated for a POST that may have reached the backend, but are for a GET', async () => {
    const dropping = await backend('dropping', (request) => void request.socket.destroy());
    const good = await backend('good');
    const { port } = await lane([dropping.url, good.url]);
    const answer = await ask(port, { method: 'POST', body: 'x' });
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'backend_closed' });
    expect(good.seen).toHaveLength(0);
    await ask(port);
    expect((await ask(port)).text).toBe('good');
    expect(dropping.seen).toHaveLength(2);
  });

  test('never repeat a 503 of a backend on their own account', async () => {
    const busy = await backend('busy', (_request, response) => response.writeHead(503).end('busy'));
    const { port } = await lane([busy.url]);
    expect(await ask(port)).toMatchObject({ status: 503, text: 'busy' });
    expect(busy.seen).toHaveLength(1);
  });

  test('say when nobody could be reached', async () => {
    const { port } = await lane([`http://127.0.0.1:${await freePort()}`]);
    const answer = await ask(port);
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'connect_failed' });
  });

  test('end when the time for the whole request is over', async () => {
    const slow = await backend('slow', (request, response) => {
      if (request.url === '/dribble') response.writeHead(200).write('x');
    });
    const { port, slot } = await lane([slow.url], { timeouts: { ...policy().timeouts, requestMs: 60 } });
    expect((await ask(port)).status).toBe(504);
    await expect(ask(port, { path: '/dribble' })).rejects.toThrow();
    expect(slot(0)).toMatchObject({ inFlight: 0, failures: 2 });
  });

  test('end when the backend takes too long', async () => {
    const slow = await backend('slow', () => {});
    const { port, slot } = await lane([slow.url], { timeouts: { ...policy().timeouts, responseMs: 50 } });
    const answer = await ask(port);
    expect(answer.status).toBe(504);
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'response_timeout' });
    expect(slot(0)).toMatchObject({ inFlight: 0, failures: 1 });
  });
});

describe('a WebSocket', () => {
  test('goes both ways after the plugins let it pass, and is counted as long as it lives', async () => {
    const echo = await echoing();
    const { port, slot, answered } = await lane([echo.url], zipped);
    const socket = dial(port, '/chat?room=1', 'early ');
    await until(() => socket.text.endsWith('early '), 'what came with the request is echoed');
    socket.client.write('later');
    await until(() => socket.text.endsWith('early later'), 'what came later is echoed');
    expect(socket.text).toMatch(/^HTTP\/1\.1 101 /);
    expect(echo.seen[0]).toMatchObject({ url: '/chat?room=1', headers: { 'x-forwarded-for': '127.0.0.1' } });
    expect(slot(0)).toMatchObject({ inFlight: 1, requests: 0 });
    expect(answered()).toEqual({ zip: '1xx × 1', total: '1xx × 1' });
    socket.client.end();
    await until(() => slot(0).inFlight === 0, 'it is over');
    expect(slot(0)).toMatchObject({ requests: 1, failures: 0 });
  });

  test('gets what the backend answers instead', async () => {
    const echo = await echoing();
    const { port, slot, answered } = await lane([echo.url], zipped);
    const socket = dial(port, '/refused');
    await until(() => socket.ended, 'it is over');
    expect(socket.text).toMatch(/^HTTP\/1\.1 403 Forbidden[^]*no$/);
    await until(() => slot(0).requests === 1, 'it is counted');
    expect(answered()).toEqual({ zip: '4xx × 1', total: '4xx × 1' });
  });

  test('goes to another backend when the first cannot be reached, and fails when none can', async () => {
    const echo = await echoing();
    const dead = `http://127.0.0.1:${await freePort()}`;
    const { port } = await lane([dead, echo.url], zipped);
    const socket = dial(port, '/', 'hello');
    await until(() => socket.text.endsWith('hello'), 'the other backend answers');
    const alone = await lane([dead], zipped);
    const failed = dial(alone.port, '/');
    await until(() => failed.ended, 'it is answered');
    expect(failed.text).toMatch(/^HTTP\/1\.1 502 /);
    expect(alone.slot(0)).toMatchObject({ inFlight: 0, failures: 1 });
  });

  test('is refused when a plugin refuses it or no route matches', async () => {
    const file = await pluginFile(`
      export default async function guard(app) {
        app.addHook('onRequest', async () => { throw Object.assign(new Error('no'), { statusCode: 401 }); });
      }`);
    const echo = await echoing();
    const { port, answered } = await lane([echo.url], {
      routes: [
        route({ id: 'guarded', path: '/s/*', pool: 'web', plugins: [{ name: 'guard', file, options: {} }] }),
      ],
    });
    const refused = dial(port, '/s/1');
    const lost = dial(port, '/other');
    await until(() => refused.ended && lost.ended, 'both are answered');
    expect(refused.text).toMatch(/^HTTP\/1\.1 401 /);
    expect(lost.text).toMatch(/^HTTP\/1\.1 404 /);
    expect(echo.seen).toHaveLength(0);
    expect(answered()).toEqual({ guarded: '4xx × 1', total: '4xx × 2' });
  });
});

describe('the plugin gzip', () => {
  test.each(['1KiB', '5000', 1024, 5000])('reads min_size %s', async (minSize) => {
    const one = await backend('one', text());
    const { port } = await lane([one.url], {
      routes: [
        route({
          id: 'z',
          path: '/*',
          pool: 'web',
          plugins: [{ name: 'gzip', options: { min_size: minSize } }],
        }),
      ],
    });
    const { headers } = await ask(port, accepting('gzip'));
    expect(headers['content-encoding']).toBe(String(minSize) === '5000' ? undefined : 'gzip');
  });

  test('does not serve with options that it does not understand', async () => {
    const one = await backend('one', text());
    const routes = [{ min_size: '1 furlong' }, { level: 9 }].map((options, index) =>
      route({ id: `r${index}`, path: `/${index}`, pool: 'web', plugins: [{ name: 'gzip', options }] }),
    );
    const { port, log } = await lane([one.url], { routes });
    expect((await ask(port, { path: '/0' })).status).toBe(500);
    expect((await ask(port, { path: '/1' })).status).toBe(500);
    const causes = log.entries.map(({ fields }) => fields['cause']);
    expect(causes).toEqual([expect.stringContaining('min_size'), expect.stringContaining('level')]);
  });

  test.each([
    ['gzip', 'gzip'],
    ['br, gzip', 'br'],
    ['gzip, br;q=0.5', 'gzip'],
    ['*', 'br'],
    ['deflate', undefined],
    ['gzip;q=0, br;q=0', undefined],
    ['identity, gzip;q=0.5', undefined],
  ])('answers a client that accepts "%s" in %s', async (accepted, encoding) => {
    const one = await backend('one', text(TEXT, { etag: '"v1"' }));
    const { port } = await lane([one.url], zipped);
    const { headers, body } = await ask(port, accepting(accepted));
    expect(headers['content-encoding']).toBe(encoding);
    expect(headers['vary']).toBe('accept-encoding');
    expect(headers['etag']).toBe(encoding === undefined ? '"v1"' : 'W/"v1"');
    const plain =
      encoding === 'gzip' ? gunzipSync(body) : encoding === 'br' ? brotliDecompressSync(body) : body;
    expect(plain.toString()).toBe(TEXT);
    if (encoding !== undefined) expect(body.length).toBeLessThan(TEXT.length / 5);
  });

  test.each([
    ['is short', text('short')],
    ['is compressed already', text(TEXT, { 'content-encoding': 'zstd' })],
    ['does not compress', text(TEXT, { 'content-type': 'image/png' })],
    ['must not be transformed', text(TEXT, { 'cache-control': 'public, no-transform' })],
    ['is a part of a whole', text(TEXT, { 'content-range': 'bytes 0-3999/9000' })],
  ])('leaves alone what %s', async (_why, handle) => {
    const one = await backend('one', handle);
    const { port } = await lane([one.url], zipped);
    const answer = await ask(port, accepting('gzip, br'));
    expect(['zstd', undefined]).toContain(answer.headers['content-encoding']);
    expect(answer.headers['content-length']).toBe(String(answer.body.length));
  });

  test('sends what it has without waiting for more', async () => {
    const gate = Promise.withResolvers<void>();
    const one = await backend('one', (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.write('first');
      void gate.promise.then(() => response.end('last'));
    });
    const { port } = await lane([one.url], zipped);
    let received = '';
    const client = request({ host: '127.0.0.1', port, agent: false, ...accepting('gzip') }, (response) => {
      response.pipe(createGunzip()).on('data', (chunk: Buffer) => (received += chunk.toString()));
    });
    client.end();
    await until(() => received === 'first', 'the first part arrives');
    gate.resolve();
    await until(() => received === 'firstlast', 'the last part arrives');
  });

  test('leaves event streams as they are', async () => {
    const one = await backend('one', (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end('data: 1\n\n');
    });
    const { port } = await lane([one.url], zipped);
    const answer = await ask(port, accepting('gzip'));
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(answer.text).toBe('data: 1\n\n');
  });

  test('announces to HEAD what it would do without a body', async () => {
    const one = await backend('one', text());
    const { port, slot } = await lane([one.url], zipped);
    const answer = await ask(port, { method: 'HEAD', ...accepting('gzip') });
    expect(answer).toMatchObject({ status: 200, text: '', headers: { vary: 'accept-encoding' } });
    expect(slot(0)).toMatchObject({ inFlight: 0, requests: 1 });
  });
});

describe("a user's plugin", () => {
  const STAMP = `
    export default async function stamp(app, options) {
      app.addHook('onSend', async (request, reply) => { reply.header('x-stamp', options.mark + request.url); });
    }`;

  test('sees the requests of its route and of no other, with its options', async () => {
    const one = await backend('one');
    const { port } = await lane([one.url], withPlugin(await pluginFile(STAMP), 'A'));
    expect((await ask(port, { path: '/s/1' })).headers['x-stamp']).toBe('A/s/1');
    expect((await ask(port, { path: '/other' })).headers['x-stamp']).toBeUndefined();
  });

  test('may refuse a request in its own words', async () => {
    const file = await pluginFile(`
      export default async function guard(app) {
        app.addHook('onRequest', async (request) => {
          if (request.headers.authorization === undefined) throw Object.assign(new Error('who are you?'), { statusCode: 401 });
          throw new Error('secret detail');
        });
      }`);
    const one = await backend('one');
    const { port, slot } = await lane([one.url], withPlugin(file, ''));
    const refused = await ask(port, { path: '/s/1' });
    expect(refused.status).toBe(401);
    expect(JSON.parse(refused.text)).toMatchObject({ status: 401, detail: 'who are you?' });
    const broken = await ask(port, { path: '/s/1', headers: { authorization: 'x' } });
    expect(broken.status).toBe(500);
    expect(broken.text).not.toContain('secret');
    expect(one.seen).toHaveLength(0);
    expect(slot(0).requests).toBe(0);
  });

  test('that cannot be loaded keeps its own route from being served and no other', async () => {
    const one = await backend('one');
    const { port, log } = await lane([one.url], withPlugin('/nonexistent/plugin.mjs', ''));
    expect((await ask(port, { path: '/s/1' })).status).toBe(500);
    expect((await ask(port, { path: '/other' })).text).toBe('one');
    expect(log.entries).toMatchObject([{ level: 'error', fields: { plugins: 'stamp' } }]);
  });

  test('follows a change of policy on the same connection, while requests under way end as they began', async () => {
    const gate = Promise.withResolvers<void>();
    const one = await backend('one', (request, response) => {
      if (request.url === '/s/slow') void gate.promise.then(() => response.end('slow'));
      else response.end('one');
    });
    const file = await pluginFile(STAMP);
    const { port, update } = await lane([one.url], withPlugin(file, 'A'));
    const agent = oneConnection();
    closing.push(() => agent.destroy());
    expect((await ask(port, { path: '/s/1', agent })).headers['x-stamp']).toBe('A/s/1');
    const slow = ask(port, { path: '/s/slow' });
    await until(() => one.seen.length === 2, 'the slow request is under way');
    update(withPlugin(file, 'B'));
    expect((await ask(port, { path: '/s/2', agent })).headers['x-stamp']).toBe('B/s/2');
    gate.resolve();
    expect((await slow).headers['x-stamp']).toBe('A/s/slow');
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
    closing.push(() => agent.destroy());
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

  test('gives up at its deadline', async () => {
    const one = await backend('one', () => {});
    const { port, plugins } = await lane([one.url]);
    const hanging = ask(port).catch((error: unknown) => error);
    await until(() => one.seen.length === 1, 'the request is under way');
    await plugins.drain(30);
    expect(await hanging).toBeInstanceOf(Error);
  });
});
