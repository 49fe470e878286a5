import { randomBytes } from 'node:crypto';
import { type IncomingMessage, type RequestListener, request } from 'node:http';
import {
  brotliDecompressSync,
  createGunzip,
  createGzip,
  createZstdDecompress,
  gunzipSync,
  zstdDecompressSync,
} from 'node:zlib';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { policy, route } from '../testing/fixtures.ts';
import { ask, until } from '../testing/http.ts';
import { accepting, backend, closeAll, closeLater, lane, TEXT, text } from '../testing/plugin-lane.ts';

afterEach(async () => {
  vi.restoreAllMocks();
  await closeAll();
});

const MIB = 2 ** 20;
const plain = (body: Buffer) => body;
const DECODED = { zstd: zstdDecompressSync, br: brotliDecompressSync, gzip: gunzipSync, plain };

/** What a backend says of its answer, and of no other. */
const OF_BACKEND = {
  'cache-control': 'public, max-age=600',
  etag: '"v1"',
  'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT',
  'set-cookie': 'a=b',
};

const compressed = (options: Record<string, unknown> = {}) => ({
  routes: [route({ id: 'c', path: '/*', pool: 'web', plugins: [{ name: 'compression', options }] })],
});

async function serving(handle: RequestListener, options?: Record<string, unknown>) {
  const one = await backend('one', handle);
  return lane([one.url], compressed(options));
}

/** The answer as it begins, and its connection, which the caller reads or not. */
async function begin(port: number, encoding: string): Promise<IncomingMessage> {
  return await new Promise((resolve, reject) => {
    const client = request({ host: '127.0.0.1', port, agent: false, ...accepting(encoding) }, resolve);
    client.on('error', reject).end();
    closeLater(() => client.destroy());
  });
}

const known = (tag: string) => ({ headers: { 'if-none-match': tag, 'accept-encoding': 'gzip' } });

describe('the plugin compression', () => {
  test.each([
    ['gzip, deflate, br, zstd', 'zstd'],
    ['gzip, br', 'br'],
    ['gzip, br;q=0.5', 'gzip'],
    ['deflate', 'plain'],
  ] as const)('answers a client that accepts "%s" in %s', async (accepted, coding) => {
    const { port } = await serving(text(TEXT, { etag: '"v1"', 'accept-ranges': 'bytes', vary: 'Origin' }));
    const { headers, body } = await ask(port, accepting(accepted));
    expect(DECODED[coding](body).toString()).toBe(TEXT);
    expect(headers['vary']).toBe('Origin, accept-encoding');
    if (coding === 'plain') {
      expect(headers).toMatchObject({ etag: '"v1"', 'content-length': String(TEXT.length) });
      expect(headers['content-encoding']).toBeUndefined();
      return;
    }
    expect(headers).toMatchObject({ etag: 'W/"v1"', 'content-encoding': coding });
    expect(headers['content-length']).toBeUndefined();
    expect(headers['accept-ranges']).toBeUndefined();
    expect(body.length).toBeLessThan(TEXT.length / 5);
  });

  test('has the order and the levels that it is given', async () => {
    const numbers = Array.from({ length: 2000 }, (_, index) => `${index} ${(index * 7919) % 1000}`).join();
    const sizes = [];
    for (const level of [1, 9]) {
      const { port } = await serving(text(numbers), { codings: ['br', 'gzip'], levels: { br: level } });
      const { headers, body } = await ask(port, accepting('zstd, gzip, br'));
      expect(headers['content-encoding']).toBe('br');
      expect(brotliDecompressSync(body).toString()).toBe(numbers);
      sizes.push(body.length);
    }
    expect(sizes[1]).toBeLessThan(sizes[0]! * 0.95);
  });

  test.each([
    ['a length that is short', text('short'), {}],
    ['a coding already', text(TEXT, { 'content-encoding': 'deflate' }), {}],
    ['a type that does not compress', text(TEXT, { 'content-type': 'image/png' }), {}],
    ['a type that is not named', text(TEXT), { types: ['application/*'] }],
    [
      'events, which no pattern means',
      text(TEXT, { 'content-type': 'text/event-stream' }),
      { types: ['text/*'] },
    ],
    ['no type', text(TEXT, { 'content-type': '' }), {}],
    ['a wish to stay as it is', text(TEXT, { 'cache-control': 'public, No-Transform' }), {}],
    ['a range', text(TEXT, { 'content-range': 'bytes 0-3999/9000' }), {}],
    ['a digest of its bytes', text(TEXT, { 'content-digest': 'sha-256=:abc=:' }), {}],
  ])('leaves alone what has %s', async (_why, handle, options) => {
    const { port } = await serving(handle, options);
    const answer = await ask(port, accepting('gzip, br, zstd'));
    expect(['deflate', undefined]).toContain(answer.headers['content-encoding']);
    expect(answer.headers['content-length']).toBe(String(answer.body.length));
    expect(answer.headers['vary']).toBeUndefined();
  });

  test.each([204, 206, 304])('leaves %i alone', async (status) => {
    const { port } = await serving((_request, response) => {
      response.writeHead(status, { 'content-type': 'text/plain', etag: '"v1"' });
      response.end(status === 206 ? TEXT : undefined);
    });
    const answer = await ask(port, accepting('gzip'));
    expect(answer).toMatchObject({ status, text: status === 206 ? TEXT : '', headers: { etag: '"v1"' } });
    expect(answer.headers['content-encoding']).toBeUndefined();
  });

  test('says in a 304 what it said in the answer that the client has', async () => {
    const { port } = await serving((_request, response) => {
      response.writeHead(304, { etag: '"v1"' });
      response.end();
    });
    const packed = await ask(port, known('"v0", W/"v1"'));
    expect(packed).toMatchObject({ status: 304, headers: { etag: 'W/"v1"', vary: 'accept-encoding' } });
    const whole = await ask(port, known('"v1"'));
    expect(whole).toMatchObject({ status: 304, headers: { etag: '"v1"' } });
    expect(whole.headers['vary']).toBeUndefined();
  });

  test('compresses errors of a backend, and nothing for HEAD', async () => {
    const { port } = await serving((_request, response) => {
      response.writeHead(503, { 'content-type': 'application/problem+json', 'content-length': TEXT.length });
      response.end(TEXT);
    });
    const answer = await ask(port, accepting('zstd'));
    expect(answer).toMatchObject({ status: 503, headers: { 'content-encoding': 'zstd' } });
    expect(zstdDecompressSync(answer.body).toString()).toBe(TEXT);
    const head = await ask(port, { method: 'HEAD', ...accepting('zstd') });
    expect(head).toMatchObject({ status: 503, text: '', headers: { vary: 'accept-encoding' } });
    expect(head.headers['content-encoding']).toBeUndefined();
  });

  test('named event streams are compressed event by event', async () => {
    const gate = Promise.withResolvers<void>();
    const { port } = await serving(
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write('data: 1\n\n');
        void gate.promise.then(() => response.end('data: 2\n\n'));
      },
      { types: ['text/event-stream'] },
    );
    const answer = await begin(port, 'zstd');
    let received = '';
    answer.pipe(createZstdDecompress()).on('data', (chunk: Buffer) => (received += chunk.toString()));
    await until(() => received === 'data: 1\n\n', 'the first event arrives');
    gate.resolve();
    await until(() => received === 'data: 1\n\ndata: 2\n\n', 'the last event arrives');
  });

  test('100 MB pass a client that stops reading, with no more than a little of them in between', async () => {
    const piece = randomBytes(MIB);
    const pieces = 100;
    let written = 0;
    const { port } = await serving((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      const more = (): void => {
        while (written < pieces) {
          written += 1;
          if (!response.write(piece)) {
            response.once('drain', more);
            return;
          }
        }
        response.end();
      };
      more();
    });
    const answer = await begin(port, 'zstd');
    // It is not read yet: what the backend has got rid of fills buffers, and no more goes once they are full.
    let before = -1;
    await until(() => {
      const still = written === before;
      before = written;
      return still && written > 0;
    }, 'nobody takes anything any more');
    expect(written).toBeLessThan(40);
    let received = 0;
    answer.pipe(createZstdDecompress()).on('data', (chunk: Buffer) => (received += chunk.length));
    await until(() => received === pieces * MIB, 'all of it has come');
  });

  test('a backend that breaks off is no whole answer, and the next one is', async () => {
    const breaks: (() => void)[] = [];
    const { port, slot } = await serving((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.write(TEXT);
      if (breaks.push(() => response.destroy()) > 1) response.end();
    });
    const broken = await begin(port, 'gzip');
    let error: Error | undefined;
    broken.on('error', (cause) => (error = cause)).resume();
    breaks[0]!();
    await until(() => error !== undefined, 'the client is told by the end of its connection');
    expect(gunzipSync((await ask(port, accepting('gzip'))).body).toString()).toBe(TEXT);
    await until(() => slot(0).inFlight === 0, 'nothing is left');
  });

  test.each([
    ['compressed', 'gzip'],
    ['plain', 'identity'],
  ])(
    'a backend that fails before its first byte is answered for with nothing of its %s answer',
    async (_how, coding) => {
      const breaks: (() => void)[] = [];
      const { port, slot } = await serving((_request, response) => {
        response.writeHead(200, { 'content-type': 'text/plain', ...OF_BACKEND });
        response.flushHeaders();
        breaks.push(() => response.destroy());
      });
      const answering = ask(port, accepting(coding));
      await until(() => breaks.length > 0, 'the head has gone out');
      breaks[0]!();
      const { status, headers, text: body } = await answering;
      expect(status).toBe(502);
      expect(JSON.parse(body)).toMatchObject({ code: 'backend_closed' });
      expect(headers).toMatchObject({
        'content-type': 'application/problem+json',
        'x-request-id': expect.stringContaining('id-'),
      });
      for (const name of Object.keys(OF_BACKEND)) expect(headers[name]).toBeUndefined();
      expect(slot(0)).toMatchObject({ inFlight: 0, requests: 1, failures: 1 });
    },
  );

  test('a backend that keeps its first byte for too long is answered for in the same way', async () => {
    const one = await backend('one', (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain', ...OF_BACKEND }).flushHeaders();
    });
    const timeouts = { ...policy().timeouts, responseIdleMs: 100 };
    const { port, slot } = await lane([one.url], { ...compressed(), timeouts });
    const { status, headers, text: body } = await ask(port, accepting('gzip'));
    expect(status).toBe(504);
    expect(JSON.parse(body)).toMatchObject({ code: 'response_timeout' });
    expect(headers['cache-control']).toBeUndefined();
    expect(slot(0)).toMatchObject({ inFlight: 0, requests: 1, failures: 1 });
  });

  test("an encoder that fails ends its own answer and no other, and is nobody else's failure", async () => {
    const { port, slot } = await serving(text(TEXT, OF_BACKEND));
    const inner = Object.getPrototypeOf(Object.getPrototypeOf(createGzip()));
    vi.spyOn(inner, '_transform').mockImplementationOnce((...args: unknown[]) => {
      const done = args[2];
      if (typeof done === 'function') done(new Error('out of order'));
    });
    const failed = await ask(port, accepting('gzip'));
    expect(failed.status).toBe(500);
    expect(JSON.parse(failed.text)).toMatchObject({ code: 'internal' });
    expect(failed.headers['content-encoding']).toBeUndefined();
    for (const name of Object.keys(OF_BACKEND)) expect(failed.headers[name]).toBeUndefined();
    expect(slot(0)).toMatchObject({ requests: 1, failures: 0 });
    expect(gunzipSync((await ask(port, accepting('gzip'))).body).toString()).toBe(TEXT);
    await until(() => slot(0).inFlight === 0, 'nothing is left');
  });

  test('a client that leaves frees the backend', async () => {
    let closed = 0;
    const { port, slot } = await serving((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.write(TEXT);
      response.once('close', () => (closed += 1));
    });
    const answer = await begin(port, 'gzip');
    answer.pipe(createGunzip());
    answer.destroy();
    await until(() => closed === 1 && slot(0).inFlight === 0, 'the backend is free');
  });
});
