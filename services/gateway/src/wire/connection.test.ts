import { afterEach, describe, expect, it } from 'vitest';
import { Harness } from './testing/harness.ts';
import { answering, type BackendBehaviour, ok } from './testing/raw-backend.ts';
import { readMessage, statusOf, until } from './testing/raw-socket.ts';

let harness: Harness;

async function start(behaviours: readonly BackendBehaviour[]): Promise<Harness> {
  harness = await Harness.start(behaviours);
  return harness;
}

afterEach(() => harness.stop());

const GET = 'GET / HTTP/1.1\r\nHost: any\r\n\r\n';
const echoHead = answering((request) => ok(request.head));

describe('a connection', () => {
  it('serves request after request over one connection to the backend', async () => {
    await start([echoHead]);
    const client = harness.connect();
    for (let n = 0; n < 20; n++) {
      client.send(`GET /${n} HTTP/1.1\r\nHost: any\r\n\r\n`);
      const { headers, body } = await readMessage(client);
      expect(headers).not.toHaveProperty('connection');
      expect(body).toContain(`GET /${n} HTTP/1.1\r\n`);
    }
    expect(harness.backends[0]!.connections).toHaveLength(1);
  });

  it('closes when the client asks for it', async () => {
    await start([echoHead]);
    const client = harness.connect();
    client.send('GET / HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n');
    expect((await readMessage(client)).headers['connection']).toBe('close');
    await client.untilClosed();
    expect(client.error).toBeUndefined();
  });

  it('of an HTTP/1.0 client stays only when it asks for that', async () => {
    await start([echoHead]);
    const client = harness.connect();
    const request = 'GET / HTTP/1.0\r\nHost: any\r\nConnection: keep-alive\r\n\r\n';
    client.send(request);
    expect((await readMessage(client)).headers['connection']).toBe('keep-alive');
    client.send(request.replace('keep-alive', 'x'));
    expect((await readMessage(client)).headers['connection']).toBe('close');
    await client.untilClosed();
  });

  it('answers pipelined requests in order and one at a time', async () => {
    let running = 0;
    let runningMax = 0;
    await start([
      answering(async ({ firstLine }) => {
        runningMax = Math.max(runningMax, ++running);
        await new Promise((resolve) => {
          setTimeout(resolve, firstLine.includes('/0') ? 20 : 0);
        });
        running -= 1;
        return ok(firstLine);
      }),
    ]);
    const client = harness.connect();
    const paths = Array.from({ length: 30 }, (_, n) => `/${n}`);
    client.send(
      paths
        .map((path, n) =>
          n % 3 === 0
            ? `POST ${path} HTTP/1.1\r\nHost: any\r\nContent-Length: 3\r\n\r\nabc`
            : `GET ${path} HTTP/1.1\r\nHost: any\r\n\r\n`,
        )
        .join(''),
    );
    for (const path of paths) expect((await readMessage(client)).body).toMatch(`${path} HTTP/1.1`);
    expect(runningMax).toBe(1);
  });

  it('is not read on while too many requests wait on it', async () => {
    const gate = Promise.withResolvers<void>();
    await start([
      answering(async () => {
        await gate.promise;
        return ok();
      }),
    ]);
    const client = harness.connect();
    const request = `GET / HTTP/1.1\r\nHost: any\r\nX: ${'x'.repeat(900)}\r\n\r\n`;
    const count = 20_000;
    client.send(request.repeat(count));
    await until(() => harness.counters.bytesIn > 64 * 1024, 'something read');
    await until(() => client.socket.writableLength > 0, 'client held back');
    expect(harness.counters.bytesIn).toBeLessThan(256 * 1024);
    gate.resolve();
    for (let n = 0; n < 200; n++) expect(statusOf(await readMessage(client))).toBe(200);
  });

  it('answers many pipelined errors without ever nesting', async () => {
    await start([]);
    const client = harness.connect();
    client.send(GET.repeat(2000));
    for (let n = 0; n < 2000; n++) expect(statusOf(await readMessage(client))).toBe(503);
  });
});
