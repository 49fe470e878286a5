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

describe('a malformed response head', () => {
  it.each([
    'garbage\r\n\r\n',
    'HTTP/1.1 200 OK\nContent-Length: 0\n\n',
    'HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n',
    'HTTP/2 200\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx',
    'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: \x00\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(70_000)}\r\n\r\n`,
    'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(20),
  ])('%j is answered with 502', async (bytes) => {
    await start([saying(bytes)]);
    const client = harness.connect();
    client.send('POST / HTTP/1.0\r\nHost: any\r\nContent-Length: 0\r\n\r\n');
    const { firstLine, body } = await readMessage(client);
    expect(firstLine).toBe('HTTP/1.1 502 Bad Gateway');
    expect(JSON.parse(body)).toMatchObject({ status: 502, code: 'bad_response' });
    await until(() => harness.backends[0]!.open === 0, 'backend connection closed');
    expect(harness.table.outcomes).toEqual(['bad_response']);
  });
});

it('a malformed response is reported once in a while, not with every response', async () => {
  await start([answering(() => 'garbage\r\n\r\n')]);
  const client = harness.connect();
  for (let n = 0; n < 5; n++) {
    client.send(POST);
    expect(statusOf(await readMessage(client))).toBe(502);
  }
  expect(harness.log.entries).toHaveLength(1);
  harness.advance(1100);
  client.send(POST);
  await readMessage(client);
  expect(harness.log.entries).toHaveLength(2);
});

describe('a response that breaks off', () => {
  it.each([
    ['in its head, cleanly', 'HTTP/1.1 200 OK\r\nCont', 'fin'],
    ['in its head, by a reset', 'HTTP/1.1 200 OK\r\nCont', 'reset'],
    ['before its head, cleanly', '', 'fin'],
    ['before its head, by a reset', '', 'reset'],
  ] as const)('%s is a 502', async (_, bytes, end) => {
    await start([saying(bytes, end)]);
    const client = harness.connect();
    client.send(POST);
    const { firstLine, body } = await readMessage(client);
    expect(firstLine).toBe('HTTP/1.1 502 Bad Gateway');
    expect(JSON.parse(body)).toMatchObject({ code: 'backend_closed' });
    expect(harness.table.outcomes).toEqual(['backend_closed']);
  });

  it.each([
    ['a length, cleanly', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc', 'fin'],
    ['a length, by a reset', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc', 'reset'],
    ['chunks, cleanly', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', 'fin'],
    ['chunks, by a reset', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', 'reset'],
    ['no framing, by a reset', 'HTTP/1.1 200 OK\r\n\r\nabc', 'reset'],
  ] as const)('in a body with %s never looks complete to the client', async (_, bytes, end) => {
    await start([
      async (connection, backend) => {
        backend.requests.push(await readMessage(connection));
        connection.send(bytes);
        // The break comes after the beginning has reached the client, as a separate event.
        await until(() => client.text.includes('abc'), 'beginning relayed');
        if (end === 'fin') connection.socket.end();
        else connection.socket.resetAndDestroy();
      },
    ]);
    const client = harness.connect();
    client.send(GET);
    await client.untilClosed();
    expect(client.error?.code).toBe('ECONNRESET');
    expect(harness.table.outcomes).toEqual(['backend_closed']);
    expect(harness.lane.counts.brokenResponses).toBe(1);
  });

  it('with chunks that are none never looks complete to the client', async () => {
    await start([
      async (connection) => {
        await readMessage(connection);
        connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
        await until(() => client.text.includes('abc'), 'beginning relayed');
        connection.send('zz\r\n');
      },
    ]);
    const client = harness.connect();
    client.send(GET);
    await client.untilClosed();
    expect(client.error?.code).toBe('ECONNRESET');
    expect(harness.table.outcomes).toEqual(['bad_response']);
  });
});

describe('a backend connection', () => {
  it.each([
    ['says more than its response', `${ok('good')}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`],
    [
      'says more than its chunks',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\nevil',
    ],
    ['says it will close', ok('good', 'Connection: close\r\n')],
    ['speaks HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\ngood'],
    ['sends a body with 304', 'HTTP/1.1 304 Not Modified\r\n\r\nevil'],
  ])('that %s is not used again', async (_, response) => {
    await start([saying(response)]);
    const client = harness.connect();
    for (let n = 0; n < 3; n++) {
      client.send(GET);
      const { body } = await readMessage(client);
      expect(['good', '']).toContain(body);
      await until(() => harness.backends[0]!.open === 0, 'closed');
    }
    expect(harness.backends[0]!.connections).toHaveLength(3);
  });

  it('of HTTP/1.0 that is kept alive is used again', async () => {
    await start([
      answering(() => 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok'),
    ]);
    const client = harness.connect();
    for (let n = 0; n < 3; n++) {
      client.send(GET);
      expect((await readMessage(client)).body).toBe('ok');
    }
    expect(harness.backends[0]!.connections).toHaveLength(1);
  });

  it('that speaks while idle is closed and its words reach nobody', async () => {
    await start([answering(() => ok('good'))]);
    const client = harness.connect();
    client.send(GET);
    await readMessage(client);
    harness.backends[0]!.connections[0]!.send(ok('evil'));
    await until(() => harness.backends[0]!.open === 0, 'closed');
    client.send(GET);
    expect((await readMessage(client)).body).toBe('good');
  });

  it('that is closed while idle is replaced', async () => {
    await start([answering(() => ok('good'))]);
    const client = harness.connect();
    for (let n = 0; n < 3; n++) {
      client.send(POST);
      expect((await readMessage(client)).body).toBe('good');
      harness.backends[0]!.connections.at(-1)!.socket.end();
      await until(() => harness.backends[0]!.open === 0, 'closed');
    }
    expect(harness.table.outcomes).toEqual(['ok', 'ok', 'ok']);
  });

  it('is shared by clients, the one used last first', async () => {
    await start([
      answering(async ({ firstLine }) => {
        if (firstLine.includes('/slow')) await until(() => harness.table.begun === 2, 'second begun');
        return ok();
      }),
    ]);
    const [first, second] = [harness.connect(), harness.connect()];
    first.send('GET /slow HTTP/1.1\r\nHost: any\r\n\r\n');
    await until(() => harness.table.begun === 1, 'first begun');
    second.send(GET);
    await readMessage(first);
    await readMessage(second);
    const { connections } = harness.backends[0]!;
    expect(connections).toHaveLength(2);
    for (let n = 0; n < 10; n++) {
      first.send(GET);
      await readMessage(first);
    }
    expect(connections).toHaveLength(2);
    const counts = connections.map(({ received }) => received).toSorted((a, b) => a - b);
    expect(counts[1]).toBeGreaterThan(5 * counts[0]!);
  });
});
