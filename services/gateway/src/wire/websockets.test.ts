import { afterEach, describe, expect, it } from 'vitest';
import { Harness, type HarnessOptions } from './testing/harness.ts';
import { type BackendBehaviour, ok } from './testing/raw-backend.ts';
import { readMessage, statusOf, until } from './testing/raw-socket.ts';
import {
  asking,
  GOING_AWAY,
  GOING_AWAY_MASKED,
  openWebSocket,
  SWITCH,
  switching,
} from './testing/websocket.ts';

let harness: Harness;

async function start(behaviours: readonly BackendBehaviour[], options?: HarnessOptions): Promise<Harness> {
  harness = await Harness.start(behaviours, options);
  return harness;
}

afterEach(() => harness.stop());

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
    const { client } = await openWebSocket(harness);
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
    const { client, behind } = await openWebSocket(harness);
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
    const { client, behind } = await openWebSocket(harness);
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
    const { client, behind } = await openWebSocket(harness);
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
    const { client, behind } = await openWebSocket(harness);
    client.send('x');
    await behind.take(1);
    behind.socket.resetAndDestroy();
    await client.untilClosed();
    expect(client.error?.code).toBe('ECONNRESET');
  });

  it('may be silent for its own idle time and no longer', async () => {
    await start([switching], { timeouts: { upgradeIdleMs: 600_000, requestMs: 5_000 } });
    const { client, behind } = await openWebSocket(harness);
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
    const first = await openWebSocket(harness);
    await openWebSocket(harness);
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
