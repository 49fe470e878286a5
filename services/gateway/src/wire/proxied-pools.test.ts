import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { makeCertificate } from '@usher/testing';
import { afterEach, expect, it } from 'vitest';
import { parseProxyHeader } from '../proxy-protocol/parse.ts';
import { ProxySenders } from '../proxy-protocol/senders.ts';
import { Harness } from './testing/harness.ts';
import { type BackendBehaviour, ok } from './testing/raw-backend.ts';
import { RawSocket, readMessage, until } from './testing/raw-socket.ts';

let harness: Harness;
const closing: (() => unknown)[] = [];

afterEach(async () => {
  await harness.stop();
  for (const close of closing.splice(0)) await close();
});

const GET = 'GET / HTTP/1.1\r\nHost: any\r\n\r\n';

/** Waits for a header; answers each request with whom it names. */
const wanting: BackendBehaviour = async (connection, backend) => {
  let header = parseProxyHeader(Buffer.alloc(0));
  while (header.kind === 'incomplete') {
    await until(() => connection.text.length > 0, 'more of the header');
    header = parseProxyHeader(Buffer.from(connection.text, 'latin1'));
  }
  if (header.kind === 'invalid') throw new Error(header.cause);
  await connection.take(header.length);
  for (;;) {
    backend.requests.push(await readMessage(connection));
    const { source, destination } = header;
    connection.send(ok(JSON.stringify([source?.address, source?.port, destination?.port])));
  }
};

const named = async (client: RawSocket): Promise<unknown> => JSON.parse((await readMessage(client)).body);

it.each(['v1', 'v2'] as const)(
  'with %s are told the client at the start of each connection',
  async (proxyProtocol) => {
    harness = await Harness.start([wanting], { proxyProtocol });
    const [one, other] = [harness.connect(), harness.connect()];
    for (const client of [one, other, one]) {
      client.send(GET);
      expect(await named(client)).toEqual(['127.0.0.1', client.socket.localPort, harness.port]);
    }
    // A connection speaks for one client, so none is kept for whoever comes next.
    expect(harness.backends[0]!.connections).toHaveLength(3);
    await until(() => harness.backends[0]!.open === 0, 'closed');
  },
);

it('pass on whom another proxy spoke for', async () => {
  harness = await Harness.start([wanting], { proxyProtocol: 'v2', senders: new ProxySenders([]) });
  const client = harness.connect();
  client.send(`PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n${GET}`);
  expect(await named(client)).toEqual(['2001:db8::7', 4711, 443]);
});

it('get the header and the body again with another attempt', async () => {
  harness = await Harness.start([(connection) => void connection.socket.resetAndDestroy(), wanting], {
    proxyProtocol: 'v1',
  });
  for (let n = 0; n < 2; n++) {
    const client = harness.connect();
    client.send('PUT / HTTP/1.1\r\nHost: any\r\nContent-Length: 4\r\n\r\nbody');
    expect(await named(client)).toEqual(['127.0.0.1', client.socket.localPort, harness.port]);
  }
  expect(harness.backends[1]!.requests.map(({ body }) => body)).toEqual(['body', 'body']);
});

/** What comes before the handshake, up to and including the header; the rest is put back. */
async function headerOf(socket: Socket) {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const header = parseProxyHeader(bytes);
    if (header.kind === 'invalid') throw new Error(header.cause);
    if (header.kind === 'header') {
      socket.unshift(bytes.subarray(header.length));
      return header;
    }
    const chunk: unknown = socket.read();
    if (Buffer.isBuffer(chunk)) bytes = Buffer.concat([bytes, chunk]);
    else await once(socket, 'readable');
  }
}

/** The port of a backend that wants a header, then a handshake, then requests, which it answers like `wanting`. */
async function startSecureBackend(): Promise<number> {
  const certificate = makeCertificate({ names: ['backend.test'] });
  const sockets: Socket[] = [];
  const serve = async (socket: Socket): Promise<void> => {
    const { source, destination } = await headerOf(socket);
    const secure = new TLSSocket(socket, { isServer: true, ...certificate });
    const connection = new RawSocket(secure);
    for (;;) {
      await readMessage(connection);
      connection.send(ok(JSON.stringify([source?.address, source?.port, destination?.port])));
    }
  };
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    serve(socket).catch(() => socket.destroy());
  });
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

it.each(['v1', 'v2'] as const)(
  'whose backends speak TLS are told with %s before each handshake',
  async (proxyProtocol) => {
    const port = await startSecureBackend();
    harness = await Harness.start([], { urls: [`https://127.0.0.1:${port}`], proxyProtocol });
    harness.apply({ kind: 'tls', pool: 'web', tls: { verify: false } });
    const [one, other] = [harness.connect(), harness.connect()];
    for (const client of [one, other, one]) {
      client.send(GET);
      expect(await named(client)).toEqual(['127.0.0.1', client.socket.localPort, harness.port]);
    }
    expect(harness.table.outcomes).toEqual(['ok', 'ok', 'ok']);
  },
);

it('whose backends speak TLS lose an attempt, not the worker, where nobody listens', async () => {
  const port = await startSecureBackend();
  const [close] = closing.splice(0);
  await close?.();
  harness = await Harness.start([wanting], { urls: [`https://127.0.0.1:${port}`], proxyProtocol: 'v1' });
  const client = harness.connect();
  client.send(GET);
  expect(await named(client)).toEqual(['127.0.0.1', client.socket.localPort, harness.port]);
  expect(harness.table.outcomes).toEqual(['connect_failed', 'ok']);
  expect([...harness.pool.slots[0]!.endpoint.connectFailures!]).toEqual([['refused', 1]]);
});
