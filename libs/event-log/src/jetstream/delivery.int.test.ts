import { connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { jetstreamManager } from '@nats-io/jetstream';
import {
  follow,
  latencyEvents,
  type NatsServer,
  RecordingLog,
  recordsOf,
  seededRandom,
  startNatsServer,
  wallClock,
} from '@usher/testing';
import { connect } from 'nats';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OpenLog } from '../open-log.ts';
import { openJetStream } from './open.ts';

const SUBJECT = 'usher.events.gateway.gw-1';

let server: NatsServer;
let writer: OpenLog;
let log: RecordingLog;

beforeEach(async () => {
  server = await startNatsServer();
  log = new RecordingLog();
  writer = await openJetStream({ servers: [server.url], name: 'writer', log, clock: wallClock });
});

afterEach(async () => {
  await writer.close();
  await server.stop();
});

async function append(count: number, bytes = 0): Promise<void> {
  for (let index = 0; index < count; index++) {
    const events = latencyEvents(1).map((event) => ({ ...event, reason: 'x'.repeat(bytes) }));
    await writer.events.append({ subject: SUBJECT, events });
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** A way to the server on which messages can get lost, as they can between the servers of a cluster. */
class LossyProxy {
  /** Whether a message with this subject gets lost. */
  loses: (subject: string) => boolean = () => false;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  constructor(target: string) {
    this.#server = createServer((client) => {
      const upstream = connectTcp(Number(new URL(target).port), '127.0.0.1');
      for (const socket of [client, upstream]) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
      }
      client.pipe(upstream);
      let rest: Buffer = Buffer.alloc(0);
      upstream.on('data', (bytes: Buffer) => {
        rest = this.#pass(Buffer.concat([rest, bytes]), client);
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    const address = this.#server.address();
    return `nats://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  /** Passes on whole protocol messages but those that get lost; returns what is not whole yet. */
  #pass(bytes: Buffer, client: Socket): Buffer {
    let start = 0;
    for (;;) {
      const lineEnd = bytes.indexOf('\r\n', start);
      if (lineEnd < 0) return bytes.subarray(start);
      const words = bytes.toString('latin1', start, lineEnd).split(' ');
      const carries = words[0] === 'MSG' || words[0] === 'HMSG';
      const end = lineEnd + 2 + (carries ? Number(words.at(-1)) + 2 : 0);
      if (end > bytes.length) return bytes.subarray(start);
      if (!carries || !this.loses(words[1] ?? '')) client.write(bytes.subarray(start, end));
      start = end;
    }
  }
}

describe('deliveries of the JetStream log', () => {
  it('are complete and in order though some get lost on the way, the last one too', async () => {
    const proxy = new LossyProxy(server.url);
    const reader = await openJetStream({
      servers: [await proxy.listen()],
      name: 'reader',
      log,
      clock: wallClock,
    });
    const followed = follow(reader.events);
    await followed.tail.caughtUp;
    const random = seededRandom(1);
    proxy.loses = (subject) => subject === SUBJECT && random.next() < 0.1;
    await append(60);
    await followed.seen(60);
    let lost = 0;
    proxy.loses = (subject) => subject === SUBJECT && lost++ === 0;
    await append(1);
    await followed.seen(61);
    expect(lost).toBeGreaterThan(1);
    expect(followed.records.map(({ position }) => position)).toEqual(upTo(61));
    proxy.loses = () => false;
    expect(await recordsOf(reader.events)).toEqual(followed.records);
    await reader.close();
    proxy.close();
  });

  it('go on after the consumer has vanished from the server', async () => {
    // Silence is noticed after seconds, which pass faster here.
    const hasty = {
      ...wallClock,
      every: (ms: number, callback: () => void) => wallClock.every(ms / 20, callback),
    };
    const reader = await openJetStream({ servers: [server.url], name: 'reader', log, clock: hasty });
    const followed = follow(reader.events);
    await append(1);
    await followed.seen(1);
    const connection = await connect({ servers: server.url });
    const { consumers } = await jetstreamManager(connection);
    for await (const { name } of consumers.list('USHER_EVENTS')) {
      await consumers.delete('USHER_EVENTS', name);
    }
    await append(5);
    await followed.seen(6);
    expect(followed.records.map(({ position }) => position)).toEqual(upTo(6));
    await connection.close();
    await reader.close();
  });

  it('keep going when there is more than the server sends before it asks whether we keep up', async () => {
    await append(60, 500_000);
    const positions: number[] = [];
    await writer.events.replay(0, ({ position }) => positions.push(position));
    expect(positions).toEqual(upTo(60));
  });

  it('leave no consumer behind on the server', async () => {
    await append(3);
    const followed = follow(writer.events);
    await followed.seen(3);
    await followed.tail.stop();
    await recordsOf(writer.events);
    const connection = await connect({ servers: server.url });
    const { consumers } = await jetstreamManager(connection);
    const names = async () => (await consumers.list('USHER_EVENTS').next()).map(({ name }) => name);
    await expect.poll(names, { timeout: 5000 }).toEqual([]);
    await connection.close();
  });
});
