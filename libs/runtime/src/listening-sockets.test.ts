import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { InheritedSockets, listeningSockets } from './listening-sockets.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(host: string): Promise<number> {
  const server = createServer((socket) => socket.end('here'));
  servers.push(server);
  server.listen({ host, port: 0 });
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test.each(['127.0.0.1', '::1', '0.0.0.0', '::'])('finds sockets that listen on %s', async (host) => {
  const port = await listen(host);
  expect(listeningSockets()).toContainEqual({ fd: expect.any(Number), host, port });
  servers.pop()?.close();
  expect(listeningSockets().filter((socket) => socket.port === port)).toEqual([]);
});

test('another process listens on what it inherits', async () => {
  const port = await listen('127.0.0.1');
  const { fd } = listeningSockets().find((socket) => socket.port === port)!;
  const code = `
    const server = require('node:net').createServer((socket) => socket.end('the heir'));
    server.listen({ fd: 3 }, () => console.log('listens'));
  `;
  const heir = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit', fd] });
  try {
    await once(heir.stdio[1]!, 'data');
    servers.pop()?.close();
    const client = connect(port, '127.0.0.1');
    const [answer] = (await once(client, 'data')) as [Buffer];
    expect(String(answer)).toBe('the heir');
    client.destroy();
  } finally {
    heir.kill();
    await once(heir, 'exit');
  }
});

test('each goes to who listens there, by address or by name', async () => {
  const sockets = new InheritedSockets([
    { fd: 20, host: '127.0.0.1', port: 80 },
    { fd: 21, host: '0.0.0.0', port: 80 },
    { fd: 22, host: '127.0.0.1', port: 80 },
  ]);
  expect(await sockets.take({ host: '127.0.0.1', port: 81 })).toEqual([]);
  expect(await sockets.take({ host: '127.0.0.1', port: 80 })).toEqual([20, 22]);
  expect(await sockets.take({ host: '127.0.0.1', port: 80 })).toEqual([]);
  expect(await sockets.take({ host: '0.0.0.0', port: 80 })).toEqual([21]);
  sockets.close();
});
