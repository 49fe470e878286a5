import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { parseConfigText } from '@usher/config';
import { wallClock } from '@usher/testing';
import { afterEach, expect, test } from 'vitest';
import { lookAtBackends } from './backends.ts';

const servers: (Server | HttpServer)[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Answers each request with these header lines, then closes after so long or never. */
async function backend(lines: readonly string[], closesAfterMs?: number): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 0\r\n${lines.join('\r\n')}\r\n\r\n`);
      if (closesAfterMs !== undefined) setTimeout(() => socket.destroy(), closesAfterMs);
    });
  });
  return await listening(server);
}

async function listening(server: Server | HttpServer): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function look(port: number, rest = '') {
  const text = `timeouts: { backend_idle: 200ms }\npools: { web: { ${rest}backends: [{ id: b, url: "http://127.0.0.1:${port}" }] } }`;
  return await lookAtBackends(parseConfigText(text), wallClock);
}

test('a backend that closes unused connections before Usher does is found, whether it says so or not', async () => {
  const silent = await look(await backend([], 20));
  const honest = await look(await backend(['keep-alive: timeout=0']));
  for (const findings of [silent, honest]) {
    expect(findings).toMatchObject([
      {
        level: 'error',
        message: expect.stringContaining('Usher keeps them for 200 ms'),
        remedy: expect.stringContaining('timeouts.backend_idle'),
      },
    ]);
  }
});

test('a backend that keeps connections for longer is well, and is asked at the path of its probes', async () => {
  const asked: string[] = [];
  const server = createHttpServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end();
  });
  const port = await listening(server);
  expect(await look(port, 'health: { type: http, path: /up }, ')).toMatchObject([{ level: 'ok' }]);
  expect(await look(await backend([]))).toMatchObject([{ level: 'ok' }]);
  expect(asked).toEqual(['GET /up']);
  server.closeAllConnections();
});

test('a backend that ends each connection, one with another time and one that is not there are warned of', async () => {
  expect(await look(await backend(['connection: close']))).toMatchObject([{ level: 'warning' }]);
  const old = new Date(wallClock.now() - 7_200_000).toUTCString();
  expect(await look(await backend([`date: ${old}`]))).toMatchObject([
    { level: 'warning', about: 'clock', message: expect.stringContaining('ahead of backend b') },
  ]);
  expect(await look(1)).toMatchObject([
    { level: 'warning', message: expect.stringContaining('does not answer') },
  ]);
});
