import type { LimitSettings } from '@usher/domain';
import { afterEach, expect, it } from 'vitest';
import { Harness } from './testing/harness.ts';
import { answering, ok } from './testing/raw-backend.ts';
import { type RawSocket, readMessage, statusOf, until, untilStill } from './testing/raw-socket.ts';

let harness: Harness;

afterEach(() => harness.stop());

const post = (length: number): string => `POST / HTTP/1.1\r\nHost: any\r\nContent-Length: ${length}\r\n\r\n`;

/** A client that has begun to send a body. */
async function begun(length: number, limits: Partial<LimitSettings>): Promise<RawSocket> {
  harness = await Harness.start([answering(({ body }) => ok(String(body.length)))], { limits });
  const client = harness.connect();
  client.send(post(length));
  await until(() => harness.backends[0]!.connections[0]?.received !== undefined, 'begun');
  return client;
}

/** Sends a part and waits until the backend has it. */
async function send(client: RawSocket, bytes: number): Promise<void> {
  const [behind] = harness.backends[0]!.connections;
  const before = behind!.received;
  client.send('x'.repeat(bytes));
  await until(() => behind!.received >= before + bytes, 'passed on');
}

it('a body that pauses longer than it may is a 408, however much of it came', async () => {
  const client = await begun(1000, {});
  for (let n = 0; n < 3; n++) {
    await send(client, 100);
    harness.advance(59_000);
  }
  await send(client, 100);
  harness.advance(61_000);
  expect(statusOf(await readMessage(client))).toBe(408);
  expect(harness.table.outcomes).toEqual(['client_closed']);
});

it('a body that trickles in below the minimum rate is a 408', async () => {
  const client = await begun(100_000, { bodyRateBytesPerS: 1000 });
  for (let n = 0; n < 11; n++) {
    expect(client.text).toBe('');
    await send(client, 100);
    harness.advance(1000);
  }
  await until(() => client.text !== '', 'given up');
  expect(statusOf(await readMessage(client))).toBe(408);
  await until(() => client.ended, 'closed');
});

it('a body above the minimum rate may take its time, and pause for as long as the grace', async () => {
  const client = await begun(40_000, { bodyRateBytesPerS: 1000 });
  for (let n = 0; n < 8; n++) {
    await send(client, 5000);
    harness.advance(n % 2 === 0 ? 500 : 9_000);
  }
  expect((await readMessage(client)).body).toBe('40000');
});

it('what came fast in the beginning does not allow a body to trickle in afterwards', async () => {
  const client = await begun(2_000_000, { bodyRateBytesPerS: 1000 });
  await send(client, 1_000_000);
  harness.advance(10_500);
  expect(statusOf(await readMessage(client))).toBe(408);
});

it('a backend that takes nothing is not the client’s fault', async () => {
  const body = 30_000_000;
  harness = await Harness.start(
    [
      async (connection) => {
        await connection.takeThrough('\r\n\r\n');
        connection.socket.pause();
        await untilStill(() => harness.counters.bytesIn);
        harness.advance(20_000);
        connection.socket.resume();
        await until(() => connection.received >= body, 'all of it');
        connection.send(ok('thanks'));
      },
    ],
    { limits: { bodyRateBytesPerS: 1000, requestBodyBytes: 0 } },
  );
  const client = harness.connect();
  client.send(post(body));
  client.socket.write(Buffer.alloc(body));
  expect((await readMessage(client)).body).toBe('thanks');
});
