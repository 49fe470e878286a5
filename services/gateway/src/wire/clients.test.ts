import { afterEach, describe, expect, it } from 'vitest';
import { Harness, type HarnessOptions } from './testing/harness.ts';
import { answering, type BackendBehaviour, ok } from './testing/raw-backend.ts';
import { readMessage, statusOf, until } from './testing/raw-socket.ts';

let harness: Harness;

async function start(behaviours: readonly BackendBehaviour[], options?: HarnessOptions): Promise<Harness> {
  harness = await Harness.start(behaviours, options);
  return harness;
}

afterEach(() => harness.stop());

const GET = 'GET / HTTP/1.1\r\nHost: any\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: any\r\nContent-Length: 3\r\n\r\nabc';

/** Says something and then ends its connection, cleanly or not. */
const saying =
  (bytes: string, end: 'fin' | 'reset' | 'stay' = 'stay'): BackendBehaviour =>
  async (connection, backend) => {
    backend.requests.push(await readMessage(connection));
    connection.socket.write(bytes, 'latin1', () => {
      if (end === 'fin') connection.socket.end();
      if (end === 'reset') connection.socket.resetAndDestroy();
    });
  };

describe('a client', () => {
  it('that resets while it waits takes its backend connection with it, and nobody is blamed', async () => {
    await start([saying('')]);
    const client = harness.connect();
    client.send(GET);
    await until(() => harness.backends[0]!.requests.length === 1, 'request arrived');
    client.socket.resetAndDestroy();
    await until(() => harness.backends[0]!.open === 0, 'backend connection closed');
    expect(harness.table.outcomes).toEqual(['client_closed']);
    expect(harness.pool.slots[0]!.failures).toBe(0);
    expect(harness.lane.counts.clientAborts).toBe(1);
  });

  it('that closes while it waits is given up after a short grace', async () => {
    await start([saying('')]);
    const client = harness.connect();
    client.send(GET);
    await until(() => harness.backends[0]!.requests.length === 1, 'request arrived');
    client.socket.end();
    await until(() => client.ended || harness.lane.counts.connectionsOpen === 1, 'half closed');
    await until(() => {
      harness.advance(200);
      return harness.backends[0]!.open === 0;
    }, 'backend connection closed');
    expect(harness.table.outcomes).toEqual(['client_closed']);
  });

  it('that only stops sending still gets its answers', async () => {
    await start([answering(({ firstLine }) => ok(firstLine))]);
    const client = harness.connect({ allowHalfOpen: true });
    client.socket.end(GET + GET + GET);
    for (let n = 0; n < 3; n++) expect((await readMessage(client)).body).toBe('GET / HTTP/1.1');
    await client.untilClosed();
    expect(client.error).toBeUndefined();
  });

  it('that leaves in the middle of a response or of its body is nobody’s failure', async () => {
    await start([
      answering((_, connection) => {
        connection.send('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc');
        return '';
      }),
    ]);
    const reader = harness.connect();
    reader.send(GET);
    await reader.takeThrough('abc');
    reader.socket.resetAndDestroy();
    const writer = harness.connect();
    writer.send(POST.slice(0, -1));
    await until(() => harness.table.begun === 2, 'second begun');
    writer.socket.end();
    await until(() => harness.table.outcomes.length === 2, 'both over');
    expect(harness.table.outcomes).toEqual(['client_closed', 'client_closed']);
    await until(() => harness.backends[0]!.open === 0, 'backend connections closed');
  });

  it('that sends bad chunks is told so, and the backend is not blamed', async () => {
    await start([saying('')]);
    const client = harness.connect();
    client.send('POST / HTTP/1.1\r\nHost: any\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    await until(() => harness.backends[0]!.connections.length === 1, 'begun');
    client.send('xyz');
    expect(statusOf(await readMessage(client))).toBe(400);
    expect(harness.table.outcomes).toEqual(['client_closed']);
    await until(() => client.ended, 'closed');
  });

  it('that sends no HTTP gets a 400 and nothing after it is looked at', async () => {
    await start([answering(() => ok())]);
    const client = harness.connect();
    client.send(
      `GET / HTTP/1.1\r\nHost: any\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${GET}`,
    );
    const { firstLine, headers, body } = await readMessage(client);
    expect(firstLine).toBe('HTTP/1.1 400 Bad Request');
    expect(headers).toMatchObject({ connection: 'close', 'content-type': 'application/problem+json' });
    expect(JSON.parse(body)).toMatchObject({ code: 'bad_request', status: 400 });
    await until(() => client.ended, 'closed');
    expect(client.text).toBe('');
    expect(harness.table.begun).toBe(0);
    expect(harness.lane.counts.badRequests).toBe(1);
  });

  it('that asks by HEAD gets errors without a body', async () => {
    await start([]);
    const client = harness.connect();
    client.send(`HEAD / HTTP/1.1\r\nHost: any\r\n\r\n${GET}`);
    const { firstLine, headers } = await readMessage(client, true);
    expect(firstLine).toBe('HTTP/1.1 503 Service Unavailable');
    expect(Number(headers['content-length'])).toBeGreaterThan(0);
    expect((await readMessage(client)).firstLine).toBe('HTTP/1.1 503 Service Unavailable');
  });

  it('whose request matches no route gets a 404 and keeps its connection', async () => {
    await start([answering(() => ok('found'))]);
    const client = harness.connect();
    client.send('GET / HTTP/1.1\r\nHost: other\r\n\r\n');
    const missing = await readMessage(client);
    expect(statusOf(missing)).toBe(404);
    expect(JSON.parse(missing.body)).toMatchObject({ code: 'no_route' });
    client.send(GET);
    expect((await readMessage(client)).body).toBe('found');
  });
});
