import { afterEach, describe, expect, it } from 'vitest';
import { Harness } from './testing/harness.ts';
import { type BackendBehaviour, ok } from './testing/raw-backend.ts';
import { type RawSocket, readMessage, statusOf, until } from './testing/raw-socket.ts';
import { asking, openWebSocket, SWITCH } from './testing/websocket.ts';

let harness: Harness;

afterEach(() => harness.stop());

/** Switches where it is asked to, unless that is refused; answers everything else with its path. */
const switchingOrNot =
  (refusal?: string): BackendBehaviour =>
  async (connection, backend) => {
    for (;;) {
      const request = await readMessage(connection);
      backend.requests.push(request);
      const upgrade = request.headers['upgrade'] !== undefined;
      if (upgrade) connection.send(refusal ?? SWITCH);
      else connection.send(ok(request.firstLine.split(' ')[1]));
      if (upgrade && refusal === undefined) return;
    }
  };

async function start(maxConnections: number, refusal?: string): Promise<void> {
  harness = await Harness.start([switchingOrNot(refusal)], {
    maxConnections,
    queue: { max: 100, timeoutMs: 5_000 },
  });
}

const waiting = (): number => harness.pool.line?.counts.waiting ?? 0;
const served = (): number => harness.pool.line?.counts.exits.served ?? 0;
const seen = (): string[] => harness.backends[0]!.requests.map(({ firstLine }) => firstLine.split(' ')[1]!);

/** A request that has to wait. */
async function queued(text: string): Promise<RawSocket> {
  const before = waiting();
  const client = harness.connect();
  client.send(text);
  await until(() => waiting() === before + 1, 'it waits');
  return client;
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: any\r\n\r\n`;

describe('a WebSocket on a backend with a limit', () => {
  it.each(['client', 'backend'] as const)(
    'keeps its place until its %s breaks it off, and those who wait get it then, in order',
    async (who) => {
      await start(1);
      const { client, behind } = await openWebSocket(harness);
      const [first, second] = [await queued(get('/1')), await queued(get('/2'))];
      client.send('\x82\x81abcdX');
      await behind.take(7);
      expect([harness.inFlight, waiting(), seen()]).toEqual([1, 2, ['/']]);
      (who === 'client' ? client : behind).socket.resetAndDestroy();
      expect((await readMessage(first)).body).toBe('/1');
      expect((await readMessage(second)).body).toBe('/2');
      expect(seen()).toEqual(['/', '/1', '/2']);
      expect([waiting(), served()]).toEqual([0, 2]);
    },
  );

  it('takes one of several places, and leaves the others to requests', async () => {
    await start(2);
    const { client } = await openWebSocket(harness);
    for (const path of ['/1', '/2']) {
      const other = harness.connect();
      other.send(get(path));
      expect((await readMessage(other)).body).toBe(path);
    }
    const { client: second } = await openWebSocket(harness);
    const late = await queued(get('/3'));
    second.socket.destroy();
    expect((await readMessage(late)).body).toBe('/3');
    client.socket.destroy();
    await until(() => harness.inFlight === 0, 'all places are free');
  });

  it('waits for its place like every request, and keeps it then', async () => {
    await start(1);
    const { client: first } = await openWebSocket(harness);
    const second = await queued(asking('/ws'));
    const request = await queued(get('/1'));
    first.socket.destroy();
    expect(statusOf(await readMessage(second, true))).toBe(101);
    await until(() => harness.inFlight === 1, 'it has its place');
    expect([waiting(), seen()]).toEqual([1, ['/', '/ws']]);
    second.socket.destroy();
    expect((await readMessage(request)).body).toBe('/1');
  });

  it('that the backend refuses has no place any more', async () => {
    await start(1, ok('no'));
    const client = harness.connect();
    client.send(asking('/ws'));
    expect((await readMessage(client)).body).toBe('no');
    const other = harness.connect();
    other.send(get('/1'));
    expect((await readMessage(other)).body).toBe('/1');
    expect(harness.inFlight).toBe(0);
  });
});
