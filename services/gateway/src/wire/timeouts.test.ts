import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { Harness, type HarnessOptions } from './testing/harness.ts';
import { answering, type BackendBehaviour, ok } from './testing/raw-backend.ts';
import { type RawSocket, readMessage, statusOf, until, untilStill } from './testing/raw-socket.ts';

let harness: Harness;

async function start(behaviours: readonly BackendBehaviour[], options?: HarnessOptions): Promise<Harness> {
  harness = await Harness.start(behaviours, options);
  return harness;
}

afterEach(() => harness.stop());

const GET = 'GET / HTTP/1.1\r\nHost: any\r\n\r\n';
/** Reads and never answers. */
const silent: BackendBehaviour = async (connection, backend) => {
  backend.requests.push(await readMessage(connection));
};
/** Answers with the first half of its body. */
const begunAnswer: BackendBehaviour = async (connection) => {
  await readMessage(connection);
  connection.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun');
};
const arrived = (): Promise<void> =>
  until(() => harness.backends[0]!.requests.length === 1, 'request arrived');
const opened = (): Promise<void> =>
  until(() => harness.lane.counts.connectionsOpen === 1, 'connection opened');

async function statusAfter(client: RawSocket, ms: number): Promise<number> {
  harness.advance(ms);
  return statusOf(await readMessage(client));
}

/** Listens on a thread that then never accepts anything: once its queue is full, connecting to it takes for ever. */
const DEAF = `
  const { createServer } = require('node:net');
  const { parentPort } = require('node:worker_threads');
  const server = createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  });
`;

describe('in time', () => {
  it('a backend that accepts no connection is a 504, for whatever method', async () => {
    const deaf = new Worker(DEAF, { eval: true });
    const [port] = (await once(deaf, 'message')) as [number];
    const fillers: Socket[] = [];
    for (let n = 0; n < 8; n++) fillers.push(connect({ port, host: '127.0.0.1' }).on('error', () => {}));
    await until(() => fillers.filter(({ connecting }) => !connecting).length >= 2, 'queue filled');
    await start([], { urls: [`http://127.0.0.1:${port}`], retry: { attempts: 0, budgetRatio: 0 } });
    const client = harness.connect();
    client.send('POST / HTTP/1.1\r\nHost: any\r\nContent-Length: 3\r\n\r\nabc');
    await until(() => harness.table.begun === 1, 'begun');
    harness.advance(2500);
    expect(harness.table.outcomes).toEqual([]);
    expect(await statusAfter(client, 700)).toBe(504);
    expect(harness.table.outcomes).toEqual(['connect_timeout']);
    for (const filler of fillers) filler.destroy();
    await deaf.terminate();
  });

  it('a backend that does not answer is a 504, and the request is not tried elsewhere', async () => {
    await start([silent, silent]);
    const client = harness.connect();
    client.send(GET);
    await arrived();
    harness.advance(29_000);
    expect(await statusAfter(client, 1500)).toBe(504);
    expect(harness.table.outcomes).toEqual(['response_timeout']);
    await until(() => harness.backends[0]!.open === 0, 'backend connection closed');
    client.send('GET /again HTTP/1.1\r\nHost: any\r\n\r\n');
    await until(() => harness.table.begun === 2, 'connection still serves');
  });

  it('a backend that pauses for too long within its response has failed, and one that goes on has not', async () => {
    await start([begunAnswer], { timeouts: { responseIdleMs: 300_000 } });
    const client = harness.connect();
    client.send(GET);
    await until(() => client.text.endsWith('begun'), 'begun');
    harness.advance(290_000);
    harness.backends[0]!.connections[0]!.send('more.');
    await until(() => client.text.endsWith('more.'), 'more arrived');
    harness.advance(290_000);
    expect(harness.table.outcomes).toEqual([]);
    harness.advance(15_000);
    await client.untilClosed();
    expect(harness.table.outcomes).toEqual(['response_timeout']);
    await until(() => harness.backends[0]!.open === 0, 'backend connection closed');
  });

  it('a pause within a response may be as long as it likes when there is no limit', async () => {
    await start([begunAnswer], { timeouts: { responseIdleMs: 0 } });
    const client = harness.connect();
    client.send(GET);
    await until(() => client.text.endsWith('begun'), 'begun');
    harness.advance(100_000_000);
    harness.backends[0]!.connections[0]!.send('more.');
    await until(() => client.text.endsWith('more.'), 'more arrived');
    expect(harness.table.outcomes).toEqual([]);
  });

  it('a head that is not finished is a 408, however steadily it trickles in', async () => {
    await start([]);
    const client = harness.connect();
    client.send('GET / HTTP/1.1\r\nHost: any\r\n');
    await until(() => harness.counters.bytesIn > 0, 'begun');
    for (let n = 0; n < 9; n++) {
      const before = harness.counters.bytesIn;
      harness.advance(1000);
      client.send(`X-${n}: y\r\n`);
      await until(() => harness.counters.bytesIn > before, 'more arrived');
    }
    expect(client.text).toBe('');
    expect(await statusAfter(client, 1500)).toBe(408);
    await until(() => client.ended, 'closed');
  });

  it('a connection without any request is closed without a word', async () => {
    await start([]);
    const client = harness.connect();
    await opened();
    harness.advance(10_500);
    await client.untilClosed();
    expect(client.text).toBe('');
    expect(client.error).toBeUndefined();
  });

  it('a kept connection is closed after its idle time', async () => {
    await start([answering(() => ok())]);
    const client = harness.connect();
    client.send(GET);
    await readMessage(client);
    harness.advance(70_000);
    client.send(GET);
    await readMessage(client);
    harness.advance(70_000);
    client.send(GET);
    await readMessage(client);
    harness.advance(76_000);
    await client.untilClosed();
    expect(client.error).toBeUndefined();
  });

  it('an idle connection to a backend is closed before the backend would do it', async () => {
    await start([answering(() => ok())]);
    const client = harness.connect();
    client.send(GET);
    await readMessage(client);
    harness.advance(3000);
    client.send(GET);
    await readMessage(client);
    expect(harness.backends[0]!.connections).toHaveLength(1);
    harness.advance(4500);
    await until(() => harness.backends[0]!.open === 0, 'closed');
  });

  it('a body that does not come is a 408 and not the backend’s failure', async () => {
    await start([silent]);
    const client = harness.connect();
    client.send('POST / HTTP/1.1\r\nHost: any\r\nContent-Length: 9\r\n\r\nabc');
    await until(() => harness.backends[0]!.connections[0]?.received !== undefined, 'begun');
    await until(() => harness.backends[0]!.connections[0]!.text.endsWith('abc'), 'sent so far');
    expect(await statusAfter(client, 76_000)).toBe(408);
    expect(harness.table.outcomes).toEqual(['client_closed']);
  });

  it('a client that does not read is given up', async () => {
    await start([
      answering((_, connection) => {
        connection.send('HTTP/1.1 200 OK\r\nContent-Length: 40000000\r\n\r\n');
        connection.socket.write(Buffer.alloc(40_000_000));
        return '';
      }),
    ]);
    const client = harness.connect();
    client.socket.pause();
    client.send(GET);
    await untilStill(() => harness.counters.bytesOut);
    harness.advance(76_000);
    await until(() => harness.table.outcomes.length === 1, 'given up');
    expect(harness.table.outcomes).toEqual(['client_closed']);
  });

  it('a response may pause as long as it likes once it has begun', async () => {
    await start([
      async (connection) => {
        await readMessage(connection);
        connection.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
        await until(() => harness.counters.bytesOut > 0, 'beginning relayed');
        harness.advance(3_600_000);
        await new Promise((resolve) => {
          setTimeout(resolve, 150);
        });
        connection.send('0\r\n\r\n');
      },
    ]);
    const client = harness.connect();
    client.send(GET);
    expect((await readMessage(client)).body).toBe('abc');
  });

  it('a whole request can be limited, before and after its response has begun', async () => {
    await start(
      [
        answering(({ firstLine }) =>
          firstLine.includes('/begun') ? 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc' : '',
        ),
      ],
      { timeouts: { requestMs: 5000 } },
    );
    const waiting = harness.connect();
    waiting.send(GET);
    await arrived();
    expect(await statusAfter(waiting, 5500)).toBe(504);
    const begun = harness.connect();
    begun.send('GET /begun HTTP/1.1\r\nHost: any\r\n\r\n');
    await begun.takeThrough('abc');
    harness.advance(5500);
    await begun.untilClosed();
    expect(begun.error?.code).toBe('ECONNRESET');
    expect(harness.table.outcomes).toEqual(['response_timeout', 'response_timeout']);
  });
});

describe('a drain', () => {
  it('closes idle connections at once, lets requests finish, and says that the connection ends', async () => {
    const gate = Promise.withResolvers<void>();
    await start([
      answering(async ({ firstLine }) => {
        if (firstLine.includes('/held')) await gate.promise;
        return ok('done');
      }),
    ]);
    const idle = harness.connect();
    idle.send(GET);
    await readMessage(idle);
    const busy = harness.connect();
    busy.send('GET /held HTTP/1.1\r\nHost: any\r\n\r\n');
    await until(() => harness.table.begun === 2, 'begun');
    const drained = harness.lane.drain(60_000);
    await until(() => idle.ended, 'idle closed');
    expect(busy.ended).toBe(false);
    gate.resolve();
    const { headers, body } = await readMessage(busy);
    expect([headers['connection'], body]).toEqual(['close', 'done']);
    await drained;
    expect(harness.lane.counts.connectionsOpen).toBe(0);
    await until(() => harness.backends[0]!.open === 0, 'idle backend connections closed');
  });

  it('ends by force at its deadline', async () => {
    await start([silent]);
    const client = harness.connect();
    client.send(GET);
    await arrived();
    await harness.lane.drain(10);
    await client.untilClosed();
    await harness.settled();
    expect(harness.table.outcomes).toEqual(['client_closed']);
  });
});
