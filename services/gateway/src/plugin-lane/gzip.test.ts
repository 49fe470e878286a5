import { request } from 'node:http';
import { brotliDecompressSync, createGunzip, gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { route } from '../testing/fixtures.ts';
import { ask, until } from '../testing/http.ts';
import { accepting, backend, closeAll, lane, TEXT, text, zipped } from '../testing/plugin-lane.ts';

afterEach(closeAll);

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
