import { afterEach, describe, expect, it } from 'vitest';
import { Harness } from './testing/harness.ts';
import { readMessage, until } from './testing/raw-socket.ts';
import {
  asking,
  GOING_AWAY,
  GOING_AWAY_MASKED,
  openWebSocket,
  SWITCH,
  switching,
} from './testing/websocket.ts';

let harness: Harness;

afterEach(() => harness.stop());

describe('a drain', () => {
  it('tells WebSockets one after the other to go, at both ends', async () => {
    harness = await Harness.start([switching]);
    const sockets = [
      await openWebSocket(harness),
      await openWebSocket(harness),
      await openWebSocket(harness),
    ];
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
    harness = await Harness.start([switching]);
    const { client, behind } = await openWebSocket(harness);
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
    harness = await Harness.start([
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
