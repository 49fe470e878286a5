import { afterEach, describe, expect, it } from 'vitest';
import { Harness, type HarnessOptions } from './testing/harness.ts';
import { type BackendBehaviour, ok } from './testing/raw-backend.ts';
import { type RawSocket, readMessage, statusOf, until } from './testing/raw-socket.ts';

let harness: Harness;

async function start(behaviours: readonly BackendBehaviour[], options?: HarnessOptions): Promise<Harness> {
  harness = await Harness.start(behaviours, options);
  return harness;
}

afterEach(() => harness.stop());

const asking = (path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: any\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n` +
  'Sec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13\r\n\r\n';
const SWITCH =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: b\r\n\r\n';
const GOING_AWAY = '\x88\x02\x03\xe9';
const GOING_AWAY_MASKED = '\x88\x82\0\0\0\0\x03\xe9';

/** Switches, and leaves the rest to the test. */
const switching: BackendBehaviour = async (connection, backend) => {
  backend.requests.push(await readMessage(connection));
  connection.send(SWITCH);
};

/** Both ends of a WebSocket through the lane. */
async function open(path = '/', backend = 0): Promise<{ client: RawSocket; behind: RawSocket }> {
  const before = harness.backends[backend]!.connections.length;
  const client = harness.connect({ allowHalfOpen: true });
  client.send(asking(path));
  expect(statusOf(await readMessage(client, true))).toBe(101);
  return { client, behind: harness.backends[backend]!.connections[before]! };
}

describe('a WebSocket', () => {
  it('is asked for with the headers that this hop needs, and answered with them', async () => {
    await start([switching]);
    const client = harness.connect();
    client.send(asking('/chat?a=%2F'));
    const answer = await readMessage(client, true);
    expect(answer.headers).toMatchObject({
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-accept': 'b',
    });
    const [request] = harness.backends[0]!.requests;
    expect(request?.firstLine).toBe('GET /chat?a=%2F HTTP/1.1');
    expect(request?.headers).toMatchObject({
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-key': 'a',
      'x-forwarded-for': '127.0.0.1',
    });
  });

  it('passes what either end sends, also what came along with the request and the answer', async () => {
    await start([
      async (connection) => {
        await readMessage(connection);
        connection.send(`${SWITCH}\x81\x05early`);
      },
    ]);
    const client = harness.connect();
    client.send(`${asking('/')}\x82\x80abcd`);
    await readMessage(client, true);
    expect(await client.take(7)).toBe('\x81\x05early');
    const [behind] = harness.backends[0]!.connections;
    expect(await behind!.take(6)).toBe('\x82\x80abcd');
    client.send('\x82\x81abcdX');
    expect(await behind!.take(7)).toBe('\x82\x81abcdX');
    behind!.send('\x81\x01Y');
    expect(await client.take(3)).toBe('\x81\x01Y');
  });

  it('is one answered request, and keeps its backend busy until it ends', async () => {
    await start([switching]);
    const { client } = await open();
    const { counters, table } = harness;
    expect(table.outcomes).toEqual(['ok']);
    expect(harness.inFlight).toBe(1);
    expect(harness.lane.counts).toMatchObject({ upgrades: 1, upgradesOpen: 1, connectionsOpen: 1 });
    client.socket.destroy();
    await until(() => harness.inFlight === 0, 'released');
    expect(counters.requestsByClass[1]).toBe(1);
    expect(table.match('any', '/')?.answers[1]).toBe(1);
    expect(counters).toMatchObject({ clientAborts: 0, upgradesOpen: 0, connectionsOpen: 0 });
    expect(table.outcomes).toEqual(['ok']);
    await until(() => harness.backends[0]!.open === 0, 'the backend learns of it');
  });

  it('carries bytes in constant memory: who does not read stops who sends', async () => {
    await start([switching]);
    const { client, behind } = await open();
    for (const [from, to] of [
      [client, behind],
      [behind, client],
    ] as const) {
      const taken = to.received;
      to.socket.pause();
      const chunk = Buffer.alloc(1 << 20, 0x41);
      let sent = 0;
      while (from.socket.write(chunk) || from.socket.writableLength < 8 << 20) sent += chunk.length;
      let before = -1;
      await until(() => {
        const still = before === harness.counters.bytesIn + harness.counters.bytesOut;
        before = harness.counters.bytesIn + harness.counters.bytesOut;
        return still && from.socket.writableLength > 0;
      }, 'held back');
      to.socket.resume();
      await until(() => from.socket.writableLength === 0, 'let go');
      await until(() => to.received - taken >= sent, 'everything arrived');
      to.text = '';
    }
  });

  it('ends each direction apart from the other', async () => {
    await start([switching]);
    const { client, behind } = await open();
    // Otherwise the backend would end as soon as it was ended for it.
    behind.socket.removeAllListeners('end');
    client.send('last');
    client.socket.end();
    expect(await behind.take(4)).toBe('last');
    await until(() => behind.socket.readableEnded, 'the end arrived');
    harness.advance(600_000);
    behind.send('answer');
    expect(await client.take(6)).toBe('answer');
    behind.socket.end();
    await until(() => client.ended, 'the other end arrived');
    await until(() => harness.lane.counts.connectionsOpen === 0, 'over');
    expect(client.error).toBeUndefined();
  });

  it('whose backend ends first goes on the other way', async () => {
    await start([switching]);
    const { client, behind } = await open();
    behind.send('bye');
    behind.socket.end();
    expect(await client.take(3)).toBe('bye');
    await until(() => client.ended, 'the end arrived');
    client.send('really');
    expect(await behind.take(6)).toBe('really');
    client.socket.end();
    await until(() => harness.lane.counts.connectionsOpen === 0, 'over');
    await until(() => harness.backends[0]!.open === 0, 'over behind');
    expect(behind.error).toBeUndefined();
  });

  it('that loses its backend is reset, so that the client does not take it for an end', async () => {
    await start([switching]);
    const { client, behind } = await open();
    client.send('x');
    await behind.take(1);
    behind.socket.resetAndDestroy();
    await client.untilClosed();
    expect(client.error?.code).toBe('ECONNRESET');
  });

  it('may be silent for its own idle time and no longer', async () => {
    await start([switching], { timeouts: { upgradeIdleMs: 600_000, requestMs: 5_000 } });
    const { client, behind } = await open();
    for (let n = 0; n < 3; n++) {
      harness.advance(500_000);
      client.send('\x82\x81abcdX');
      await behind.take(7);
    }
    harness.advance(601_000);
    expect(await client.take(4)).toBe(GOING_AWAY);
    expect(await behind.take(8)).toBe(GOING_AWAY_MASKED);
    await until(() => client.ended && behind.ended, 'ended');
  });
});

describe('no WebSocket', () => {
  it('comes of an answer other than 101: it is passed on, and the connection goes on', async () => {
    await start([
      async (connection) => {
        for (;;) {
          const { firstLine } = await readMessage(connection);
          connection.send(
            firstLine.includes('/no') ? 'HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno' : ok('yes'),
          );
        }
      },
    ]);
    const client = harness.connect();
    client.send(asking('/no'));
    const refused = await readMessage(client);
    expect([statusOf(refused), refused.body, refused.headers['upgrade']]).toEqual([403, 'no', undefined]);
    client.send('GET / HTTP/1.1\r\nHost: any\r\n\r\n');
    expect((await readMessage(client)).body).toBe('yes');
    expect(harness.lane.counts).toMatchObject({ upgrades: 0, upgradesOpen: 0 });
    await harness.settled();
  });

  it.each([
    ['a route that does not allow it', asking('/plain')],
    ['another protocol', asking('/').replace('WebSocket', 'h2c')],
    ['several protocols', asking('/').replace('WebSocket', 'websocket, h2c')],
    ['a wish that Connection does not name', asking('/').replace('keep-alive, Upgrade', 'keep-alive')],
    ['a method other than GET', asking('/').replace('GET', 'PUT')],
    ['an old client', asking('/').replace('HTTP/1.1', 'HTTP/1.0')],
  ])('comes of %s: the request is like any other', async (_, text) => {
    await start([
      async (connection, backend) => {
        backend.requests.push(await readMessage(connection));
        connection.send(ok('plain'));
      },
    ]);
    const client = harness.connect();
    client.send(text);
    expect((await readMessage(client)).body).toBe('plain');
    expect(harness.backends[0]!.requests[0]?.headers).not.toHaveProperty('upgrade');
  });

  it.each([
    ['was not asked for', 'GET / HTTP/1.1\r\nHost: any\r\n\r\n', SWITCH],
    ['is to something else', asking('/'), SWITCH.replace('websocket', 'h2c')],
  ])('comes of a switch that %s: it is a bad response', async (_, text, answer) => {
    await start([
      async (connection) => {
        await readMessage(connection);
        connection.send(answer);
      },
    ]);
    const client = harness.connect();
    client.send(text);
    expect(statusOf(await readMessage(client))).toBe(502);
    expect(harness.lane.counts).toMatchObject({ upgrades: 0, upgradesOpen: 0 });
  });

  it('is opened above the limit, until one has closed', async () => {
    await start([switching], { limits: { upgrades: 2 } });
    const first = await open();
    await open();
    const third = harness.connect();
    third.send(asking('/'));
    expect(statusOf(await readMessage(third))).toBe(503);
    expect(harness.backends[0]!.requests).toHaveLength(2);
    expect(harness.lane.counts).toMatchObject({ upgrades: 2, upgradesOpen: 2, upgradesRefused: 1 });
    first.client.socket.destroy();
    await until(() => harness.counters.upgradesOpen === 1, 'closed');
    third.send(asking('/'));
    expect(statusOf(await readMessage(third, true))).toBe(101);
  });

  it('is left when its client goes before the answer', async () => {
    await start([
      async (connection, backend) => {
        backend.requests.push(await readMessage(connection));
      },
    ]);
    const client = harness.connect();
    client.send(asking('/'));
    await until(() => harness.backends[0]!.requests.length === 1, 'arrived');
    expect(harness.counters.upgradesOpen).toBe(1);
    client.socket.destroy();
    await until(() => harness.counters.upgradesOpen === 0, 'freed');
    expect(harness.table.outcomes).toEqual(['client_closed']);
  });
});

describe('a drain', () => {
  it('tells WebSockets one after the other to go, at both ends', async () => {
    await start([switching]);
    const sockets = [await open(), await open(), await open()];
    const said = (): number => sockets.filter(({ client }) => client.text.length > 0).length;
    const drained = harness.lane.drain(40_000);
    for (let n = 1; n <= 3; n++) {
      await until(() => said() === n, `${n} told`);
      // A third of three quarters of the time.
      harness.advance(9_800);
      expect(said()).toBe(n);
      harness.advance(400);
    }
    for (const { client, behind } of sockets) {
      expect(await client.take(4)).toBe(GOING_AWAY);
      expect(await behind.take(8)).toBe(GOING_AWAY_MASKED);
      await until(() => client.ended && behind.ended, 'ended');
      expect([client.text, behind.text]).toEqual(['', '']);
      client.socket.end();
    }
    await drained;
    expect(harness.lane.counts.connectionsOpen).toBe(0);
  });

  it('waits for the end of a frame, and lets nothing follow its goodbye', async () => {
    await start([switching]);
    const { client, behind } = await open();
    behind.send('\x81\x05he');
    await client.take(4);
    const drained = harness.lane.drain(40_000);
    expect(await behind.take(8)).toBe(GOING_AWAY_MASKED);
    client.send('\x81\x81abcdX');
    behind.send('llo\x81\x05aga');
    expect(await client.take(7)).toBe(`llo${GOING_AWAY}`);
    await until(() => client.ended && behind.ended, 'ended');
    expect([client.text, behind.text]).toEqual(['', '']);
    client.socket.end();
    await drained;
  });

  it('sends one away that opens while it lasts', async () => {
    const gate = Promise.withResolvers<void>();
    await start([
      async (connection, backend) => {
        backend.requests.push(await readMessage(connection));
        await gate.promise;
        connection.send(SWITCH);
      },
    ]);
    const client = harness.connect();
    client.send(asking('/'));
    await until(() => harness.backends[0]!.requests.length === 1, 'arrived');
    const drained = harness.lane.drain(40_000);
    gate.resolve();
    await readMessage(client, true);
    expect(await client.take(4)).toBe(GOING_AWAY);
    await drained;
  });
});
