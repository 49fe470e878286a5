import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { policy } from '../testing/fixtures.ts';
import { until } from '../testing/http.ts';
import { backend, closeAll, closeLater, dial, echoing, lane, zipped } from '../testing/plugin-lane.ts';

afterEach(closeAll);

const SOON_MS = 700;
const PAUSING = { ...zipped, timeouts: { ...policy().timeouts, bodyIdleMs: SOON_MS } };
/** More than the kernel keeps for a client that does not read. */
const LARGE_BYTES = 64 * 1024 * 1024;

/** A client that sends what it is told and shows what it gets; one that does not read gets nothing. */
function client(port: number, head: string, reads = true) {
  const socket = connect(port, '127.0.0.1');
  socket.write(head);
  closeLater(() => socket.destroy());
  const seen = { text: '', closed: false };
  if (reads) socket.on('data', (chunk) => (seen.text += chunk.toString()));
  socket.on('error', () => {});
  socket.on('close', () => (seen.closed = true));
  return Object.assign(seen, { socket });
}

const post = 'POST /a HTTP/1.1\r\nhost: h\r\ncontent-length: 100000\r\n\r\n';

describe('a slow client', () => {
  test('that stops sending a body gets a 408, and the backend is told that it is gone', async () => {
    const aborted: string[] = [];
    const one = await backend('one', (request) => {
      request.resume().once('error', ({ message }) => aborted.push(message));
    });
    const { port, slot, answered } = await lane([one.url], PAUSING);
    const silent = client(port, `${post}beginning`);
    await until(() => silent.closed, 'it is cut');
    expect(silent.text).toMatch(/^HTTP\/1\.1 408 [^]*connection: close[^]*"request_timeout"/i);
    await until(() => aborted.length === 1 && slot(0).inFlight === 0, 'the attempt is over');
    expect(slot(0)).toMatchObject({ failures: 0 });
    expect(answered()).toEqual({ zip: '4xx × 1', total: '4xx × 1' });
  });

  test('that owes the rest of a body that nobody wanted loses its connection', async () => {
    const { port } = await lane([], { ...PAUSING, routes: [] });
    const owing = client(port, `${post}beginning`);
    await until(() => owing.text.includes('404'), 'it is answered');
    await until(() => owing.closed, 'it is cut');
  });

  test('that does not read its response loses its connection', async () => {
    const one = await backend('one', (_request, response) => response.end(Buffer.alloc(LARGE_BYTES)));
    const { port, slot } = await lane([one.url], PAUSING);
    const deaf = client(port, 'GET / HTTP/1.1\r\nhost: h\r\n\r\n', false);
    await until(() => slot(0).requests === 1, 'the attempt is over');
    deaf.socket.resume();
    await until(() => deaf.closed, 'it is cut');
    expect(slot(0)).toMatchObject({ inFlight: 0, failures: 0 });
  });

  test('may wait for as long as the backend does not take its body', async () => {
    const taking = Promise.withResolvers<void>();
    const one = await backend('one', (request, response) => {
      request.once('end', () => response.end('taken'));
      if (request.url === '/a') request.resume();
      else void taking.promise.then(() => request.resume());
    });
    const limits = { ...policy().limits, requestBodyBytes: 0 };
    const { port } = await lane([one.url], { ...PAUSING, limits });
    const patient = client(port, post.replace('/a', '/b').replace('100000', String(LARGE_BYTES)));
    patient.socket.write(Buffer.alloc(LARGE_BYTES));
    await until(() => one.seen.length === 1, 'the backend has the request');
    const silent = client(port, `${post}beginning`);
    await until(() => silent.closed, 'a client that came later is cut');
    expect(patient.text).toBe('');
    taking.resolve();
    await until(() => patient.text.endsWith('taken'), 'it is answered');
  });

  test('may wait for its answer as long as that takes, once its body is there', async () => {
    const working = Promise.withResolvers<void>();
    const one = await backend('one', (request, response) => {
      request.resume();
      if (request.url === '/b') void working.promise.then(() => response.end('done'));
    });
    const { port } = await lane([one.url], PAUSING);
    const patient = client(port, post.replace('/a', '/b'));
    patient.socket.write(Buffer.alloc(100_000));
    await until(() => one.seen.length === 1, 'the backend has the request');
    const silent = client(port, `${post}beginning`);
    await until(() => silent.closed, 'a client that came later is cut');
    expect(patient.text).toBe('');
    working.resolve();
    await until(() => patient.text.endsWith('done'), 'it is answered');
  });

  test('that does not finish the head of its next request gets a 408', async () => {
    const one = await backend('one');
    const { port } = await lane([one.url], { timeouts: { ...policy().timeouts, requestHeaderMs: SOON_MS } });
    const slow = client(port, 'GET / HTTP/1.1\r\nhost: h\r\n\r\nGET / HTTP/1.1\r\nho');
    await until(() => slow.closed, 'it is cut');
    expect(slow.text).toMatch(/^HTTP\/1\.1 200 [^]*HTTP\/1\.1 408 /);
  });

  test('that lets its WebSocket rest too long loses it', async () => {
    const echo = await echoing();
    const timeouts = { ...policy().timeouts, upgradeIdleMs: SOON_MS };
    const { port, slot } = await lane([echo.url], { ...zipped, timeouts });
    const socket = dial(port, '/', 'hello');
    await until(() => socket.text.endsWith('hello'), 'it is open');
    await until(() => socket.client.destroyed || socket.ended, 'it is closed');
    await until(() => slot(0).inFlight === 0, 'for the backend too');
  });
});
