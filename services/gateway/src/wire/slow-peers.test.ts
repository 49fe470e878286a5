import { afterEach, describe, expect, it } from 'vitest';
import { Harness } from './testing/harness.ts';
import { answering, ok } from './testing/raw-backend.ts';
import { type RawSocket, readMessage, untilStill } from './testing/raw-socket.ts';

let harness: Harness;

afterEach(() => harness.stop());

/** More than the kernel holds for a connection that is not read. */
const BYTES_PER_CLIENT = 30_000_000;

const bodies = new Map<string, string>();

/** A body in which every 16 bytes tell whose they are and where they belong. */
function bodyOf(name: string, length: number): string {
  let body = bodies.get(`${name}${length}`);
  if (body === undefined) {
    const parts = Array.from(
      { length: Math.ceil(length / 16) },
      (_, at) => name + String(at).padStart(13, '.'),
    );
    body = parts.join('').slice(0, length);
    bodies.set(`${name}${length}`, body);
  }
  return body;
}

async function expectOwn(client: RawSocket, name: string, length: number): Promise<void> {
  const { body } = await readMessage(client);
  if (body !== bodyOf(name, length)) throw new Error(`${name} got an answer that is not its own`);
}

const requestOf = (name: string): string => `GET /${name} HTTP/1.1\r\nHost: any\r\n\r\n`;

/**
 * Clients that ask much and read nothing until all of them are held back; others that use what connections and buffers
 * there are meanwhile; then all that the slow ones get is checked.
 */
async function askThenRead(length: number): Promise<void> {
  const count = BYTES_PER_CLIENT / length;
  const slow = ['s01', 's02', 's03'].map((name) => {
    const client = harness.connect();
    client.socket.pause();
    client.send(requestOf(name).repeat(count));
    return { name, client };
  });
  await untilStill(() => harness.counters.bytesOut);
  expect(harness.counters.bytesOut).toBeLessThan(slow.length * BYTES_PER_CLIENT * 0.9);
  const quick = Array.from({ length: 10 }, (_, n) => ({ name: `q0${n}`, client: harness.connect() }));
  for (let k = 0; k < 3; k++) {
    for (const { name, client } of quick) client.send(requestOf(name));
    for (const { name, client } of quick) await expectOwn(client, name, length);
  }
  for (const { client } of slow) client.socket.resume();
  for (const { name, client } of slow) {
    for (let k = 0; k < count; k++) await expectOwn(client, name, length);
  }
}

const nameIn = (firstLine: string): string => firstLine.slice('GET /'.length).split(' ')[0]!;

describe('what slow clients have to wait for is not mixed up', { timeout: 30_000 }, () => {
  it('when each response comes over a new connection', async () => {
    harness = await Harness.start([
      answering(({ firstLine }) => {
        const body = bodyOf(nameIn(firstLine), 40_000);
        return `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 40000\r\n\r\n${body}`;
      }),
    ]);
    await askThenRead(40_000);
  });

  it.each([20_000, 1_000_000])('when responses of %d bytes come over kept connections', async (length) => {
    harness = await Harness.start([
      answering(({ firstLine }) => {
        const body = bodyOf(nameIn(firstLine), length);
        return `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n${body}`;
      }),
    ]);
    await askThenRead(length);
  });
});

describe('what a slow backend has to wait for is not mixed up', { timeout: 30_000 }, () => {
  it('with what its client sends meanwhile', async () => {
    const LENGTH = 6_000_000;
    harness = await Harness.start(
      [
        async (connection, backend) => {
          // Takes a piece at a time with a pause after each, so that the end of each body has to wait for it.
          connection.socket.on('data', () => {
            connection.socket.pause();
            setTimeout(() => connection.socket.resume(), 1);
          });
          await answering(({ body }) => ok(`${body.length}`))(connection, backend);
        },
      ],
      { limits: { requestBodyBytes: 0 } },
    );
    const clients = ['u01'].map((name) => {
      const client = harness.connect();
      for (const part of ['a', 'b', 'c']) {
        const body = bodyOf(part + name.slice(1), LENGTH);
        client.send(`POST /${part}${name} HTTP/1.1\r\nHost: any\r\nContent-Length: ${LENGTH}\r\n\r\n${body}`);
      }
      return client;
    });
    for (const client of clients) {
      for (let k = 0; k < 3; k++) expect((await readMessage(client)).body).toBe(String(LENGTH));
    }
    for (const { firstLine, body } of harness.backends[0]!.requests) {
      const name = firstLine.slice('POST /'.length, 'POST /'.length + 4);
      expect([name, body === bodyOf(name[0]! + name.slice(2), LENGTH)]).toEqual([name, true]);
    }
  });
});
