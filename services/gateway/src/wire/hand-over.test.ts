import { createServer, type Server } from 'node:http';
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

async function serveHandedOver(server: Server): Promise<void> {
  await until(() => harness.handedOver.length === 1, 'handed over');
  const { socket, head } = harness.handedOver[0]!;
  socket.unshift(head);
  server.emit('connection', socket);
  socket.resume();
}

describe('a connection that is handed over', () => {
  it('comes with everything from its request on', async () => {
    await start([echoHead]);
    const client = harness.connect();
    const plugin = 'POST /plugin/x HTTP/1.1\r\nHost: any\r\nContent-Length: 3\r\n\r\nabcGET /next';
    client.send(GET + plugin);
    expect(statusOf(await readMessage(client))).toBe(200);
    await until(() => harness.handedOver.length === 1, 'handed over');
    const { socket, head } = harness.handedOver[0]!;
    expect(head.toString('latin1')).toBe(plugin);
    socket.unshift(head);
    socket.on('data', (chunk: Buffer) => {
      if (chunk.toString('latin1').endsWith('more')) socket.end('bye');
    });
    socket.resume();
    client.send('more');
    expect(await client.takeThrough('bye')).toBe('bye');
    await client.untilClosed();
    expect(harness.lane.counts.connectionsOpen).toBe(0);
  });

  it('serves requests of an HTTP server, long bodies included', async () => {
    await start([echoHead]);
    const server = createServer((request, response) => {
      let length = 0;
      request.on('data', (chunk: Buffer) => {
        length += chunk.length;
      });
      request.on('end', () => response.end(`${request.url} ${length}`));
    });
    const client = harness.connect();
    client.send('POST /plugin/1 HTTP/1.1\r\nHost: any\r\nContent-Length: 1000000\r\n\r\nx');
    await serveHandedOver(server);
    client.send('x'.repeat(999_999));
    expect((await readMessage(client)).body).toBe('/plugin/1 1000000');
    client.send('GET /plugin/2 HTTP/1.1\r\nHost: any\r\n\r\n');
    expect((await readMessage(client)).body).toBe('/plugin/2 0');
  });

  it('is a plain socket again after an upgrade by that server', async () => {
    await start([echoHead]);
    const server = createServer();
    server.on('upgrade', (_, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
      socket.on('data', (chunk: Buffer) => socket.write(chunk.toString('latin1').toUpperCase()));
      socket.on('end', () => socket.end());
    });
    const client = harness.connect();
    client.send('GET /plugin/1 HTTP/1.1\r\nHost: any\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    await serveHandedOver(server);
    await client.takeThrough('\r\n\r\n');
    for (const word of ['hello', 'w'.repeat(200_000)]) {
      client.send(word);
      expect((await client.take(word.length)) === word.toUpperCase()).toBe(true);
    }
    client.socket.end();
    await client.untilClosed();
  });
});
