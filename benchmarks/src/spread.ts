import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { FleetFold } from '@usher/actors';
import { createOutbox, type OpenLog, openEmbedded, openJetStream } from '@usher/event-log';
import { CONTROL_SUBJECT, type EventDraft, envelop } from '@usher/events';
import { type Gateway, startGateway } from '@usher/gateway';
import type { EventLog } from '@usher/ports';
import { startNatsServer, tempDir, wallClock } from '@usher/testing';
import { policy, pool } from '../../services/gateway/src/testing/fixtures.ts';
import { backendAt, TestFleet } from '../../services/gateway/src/testing/fleet.ts';
import { listen } from '../../services/gateway/src/testing/http.ts';
import { UsageError } from './usage-error.ts';

const GATEWAYS = 4;
const CHANGES = 500;
/** Before them as many that do not count, until the code is compiled. */
const WARMING_CHANGES = 200;
/** How often a worker is asked while a change is on its way. */
const ASK_MS = 1;
/** Between two changes. */
const REST_MS = 5;
const REQUEST = 'GET / HTTP/1.1\r\nhost: spread\r\n\r\n';
const CAUSE = 'the benchmark says so';
/** By the status with which each answers. All requests go to one of them as long as it may get any. */
const BACKENDS = new Map([
  [200, 'b200'],
  [201, 'b201'],
]);
/** In the year 2096. */
const FAR_MS = 4e12;

/** What takes a backend away, and gives it back. */
const KINDS = {
  health: (backend) => [
    { type: 'backend.became_unhealthy', subject: backend, data: { backend, cause: CAUSE } },
    { type: 'backend.became_healthy', subject: backend, data: { backend, cause: CAUSE } },
  ],
  breaker: (backend) => [
    { type: 'breaker.opened', subject: backend, data: { backend, untilMs: FAR_MS, votes: [] } },
    { type: 'breaker.closed', subject: backend, data: { backend } },
  ],
} satisfies Record<string, (backend: string) => readonly [EventDraft, EventDraft]>;

/** Milliseconds from the moment a change is given to the log until the workers of four gateways go by it. */
export async function run(args: readonly string[]): Promise<void> {
  const changes = readChanges(args);
  const directory = tempDir();
  const nats = await startNatsServer();
  const ends: (() => Promise<void>)[] = [];
  const fleet = new TestFleet();
  ends.push(() => fleet.close());
  const { log } = fleet;
  const embedded = await openEmbedded({ dir: directory.path, clock: wallClock, log });
  ends.push(() => embedded.close());
  await measure('embedded', changes, async () => embedded);
  await measure('nats', changes, async (name) => {
    const opened = await openJetStream({ servers: [nats.url], name, clock: wallClock, log });
    ends.push(() => opened.close());
    return opened;
  });
  for (const end of ends.toReversed()) await end();
  await nats.stop();
  directory.remove();
}

function readChanges(args: readonly string[]): number {
  try {
    const { values } = parseArgs({ args: [...args], options: { changes: { type: 'string' } } });
    const changes = Number(values.changes ?? CHANGES);
    if (Number.isInteger(changes) && changes > 0) return changes;
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
  throw new UsageError('--changes is a whole number above 0');
}

type Stop = () => Promise<void>;

/** Each gateway has a fold of its own, and over NATS a connection of its own, as in a process of its own. */
async function measure(
  name: string,
  changes: number,
  open: (name: string) => Promise<OpenLog>,
): Promise<void> {
  const { events } = await open('writer');
  const askers: Asker[] = [];
  const stops: Stop[] = [];
  await configure(events, stops);
  for (let each = 1; each <= GATEWAYS; each++) {
    const { gateway, stop } = await startOne(`gw-${each}`, open);
    stops.push(stop);
    askers.push(await Asker.of(gateway.addresses[0]!.port));
  }
  const usual = await askers[0]!.ask();
  const other = usual === 200 ? 201 : 200;
  for (const [kind, drafting] of Object.entries(KINDS)) {
    const [away, back] = drafting(BACKENDS.get(usual) ?? '');
    const tookMs: number[] = [];
    for (let done = -WARMING_CHANGES; done < changes; done++) {
      const [draft, status] = done % 2 === 0 ? ([away, other] as const) : ([back, usual] as const);
      const startMs = performance.now();
      const seen = askers.map((asker) => asker.until(status));
      await append(events, [draft]);
      const ended = await Promise.all(seen);
      if (done >= 0) for (const atMs of ended) tookMs.push(atMs - startMs);
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
    }
    tookMs.sort((one, other) => one - other);
    const [p50, p99] = [0.5, 0.99].map((share) => tookMs[Math.floor(tookMs.length * share)]!.toFixed(2));
    console.log(
      `${name}, ${kind}: p50 ${p50} ms, p99 ${p99} ms, longest ${tookMs.at(-1)!.toFixed(2)} ms (${changes} changes, ${GATEWAYS} gateways)`,
    );
  }
  for (const asker of askers) asker.end();
  for (const stop of stops.toReversed()) await stop();
}

/** A configuration with the backends, which are started. */
async function configure(events: EventLog, stops: Stop[]): Promise<void> {
  const drafts: EventDraft[] = [
    { type: 'config.applied', subject: 'fleet', data: { revision: 1, hash: 'h', policy: policy() } },
    {
      type: 'pool.added',
      subject: 'web',
      data: { settings: pool({ strategy: 'ip_hash' }), origin: 'config' },
    },
  ];
  for (const [status, id] of BACKENDS) {
    const server = createServer((_request, response) => response.writeHead(status).end());
    const settings = backendAt(id, `http://127.0.0.1:${await listen(server)}`);
    drafts.push({
      type: 'backend.registered',
      subject: id,
      data: { settings, origin: 'config', health: 'unchecked' },
    });
    stops.push(async () => {
      server.closeAllConnections();
      server.close();
    });
  }
  await append(events, drafts);
}

/** A gateway with one worker. */
async function startOne(
  instance: string,
  open: (name: string) => Promise<OpenLog>,
): Promise<{ readonly gateway: Gateway; readonly stop: Stop }> {
  const { events } = await open(instance);
  const fold = new FleetFold();
  const tail = events.tail(0, (record) => fold.apply(record));
  await tail.caughtUp;
  const fleet = new TestFleet();
  const outbox = createOutbox({ events, clock: wallClock, log: fleet.log });
  const context = fleet.context({ instance, owner: instance, fleet: fold, events, outbox });
  const fallback = { ...policy(), pools: [], backends: [] };
  const gateway = await startGateway(
    context,
    { listen: [{ host: '127.0.0.1', port: 0 }], workers: 1 },
    fallback,
  );
  const stop = async (): Promise<void> => {
    await gateway.stop();
    outbox.close();
    await tail.stop();
    await fleet.close();
  };
  return { gateway, stop };
}

async function append(events: EventLog, drafts: readonly EventDraft[]): Promise<void> {
  const origin = { source: 'usher/scheduler/spread', timeMs: wallClock.now(), actor: 'spread' };
  await events.append({
    subject: CONTROL_SUBJECT,
    events: envelop(drafts, origin, () => crypto.randomUUID()),
  });
}

/** A client of one worker, over one connection. */
class Asker {
  readonly #socket: Socket;
  #onStatus: (status: number) => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    // An answer is one segment.
    socket.on('data', (data) => this.#onStatus(Number(data.toString('latin1', 9, 12))));
  }

  static async of(port: number): Promise<Asker> {
    const { promise, resolve, reject } = Promise.withResolvers<Asker>();
    const socket = connect({ host: '127.0.0.1', port, noDelay: true }, () => resolve(new Asker(socket)));
    socket.once('error', reject);
    return await promise;
  }

  /** Resolves with the status of one answer. */
  async ask(): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#onStatus = resolve;
    this.#socket.write(REQUEST);
    return await promise;
  }

  /** Asks until the answer has this status; resolves with when it came. */
  async until(status: number): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#onStatus = (seen) => {
      if (seen === status) resolve(performance.now());
      else setTimeout(() => this.#socket.write(REQUEST), ASK_MS);
    };
    this.#socket.write(REQUEST);
    return await promise;
  }

  end(): void {
    this.#socket.destroy();
  }
}
