import { createServer } from 'node:net';
import { UsherError } from '@usher/domain';
import type { Clock, Log, Timer } from '@usher/ports';
import type { FromWorker, ListenAddress, Measurement, ToWorker, WorkerStart } from '../worker/protocol.ts';
import { claimPorts } from './port-claims.ts';
import { WorkerThread } from './worker-thread.ts';

/** How long a worker may take to listen; it takes about 100 ms. */
const START_MAX_MS = 20_000;
/** A worker that died comes back after this long, twice as long each time, up to the maximum. */
const RESTART_DELAY_MIN_MS = 50;
const RESTART_DELAY_MAX_MS = 5_000;
/** A worker that has lived this long is no crash loop any more. */
const STABLE_MS = 30_000;
/** How long a worker may take to say where its counters stand. */
const MEASURE_MAX_MS = 1_000;
/** How long a worker may take, beyond its deadline, to say that it has drained. */
const DRAIN_GRACE_MS = 1_000;

export interface WorkersOptions {
  readonly count: number;
  readonly listen: readonly ListenAddress[];
  readonly clock: Clock;
  readonly log: Log;
  /** What a worker that starts now has to know. */
  newStart(listen: readonly ListenAddress[], worker: number): WorkerStart;
  onMessage(worker: number, message: FromWorker): void;
  /** A worker died; what it had under way is gone. `last` is where its counters were last seen. */
  onDeath(worker: number, last: Measurement | undefined): void;
}

/** A place for a worker: the thread changes when it dies, the place stays. */
interface Place {
  readonly index: number;
  thread: WorkerThread | undefined;
  listening: boolean;
  restartDelayMs: number;
  startedMs: number;
  restart: Timer | undefined;
  last: Measurement | undefined;
}

/** The worker threads of a gateway: starts them, brings back those that die, talks to all of them. */
export class Workers {
  readonly #options: WorkersOptions;
  readonly #places: Place[];
  readonly #measurements = new Map<number, (measurement: Measurement) => void>();
  #addresses: readonly ListenAddress[];
  #nextMeasurement = 0;
  #restarts = 0;
  #stopping = false;

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.#addresses = options.listen;
    this.#places = Array.from({ length: options.count }, (_, index) => ({
      index,
      thread: undefined,
      listening: false,
      restartDelayMs: RESTART_DELAY_MIN_MS,
      startedMs: 0,
      restart: undefined,
      last: undefined,
    }));
  }

  /** Where the workers listen; a port of 0 in the options is a real port here. */
  get addresses(): readonly ListenAddress[] {
    return this.#addresses;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get listening(): number {
    return this.#places.filter(({ listening }) => listening).length;
  }

  /** Resolves when all workers listen. Rejects with what is wrong when the first attempt of any of them fails. */
  async start(): Promise<void> {
    const [first, ...others] = this.#places;
    if (first === undefined) return;
    const releasePorts = await claimPorts(this.#options.listen);
    try {
      for (const address of this.#options.listen) await assertFree(address);
      // The first one finds the ports, the others share them.
      this.#addresses = await this.#launch(first);
      await Promise.all(others.map((place) => this.#launch(place)));
    } catch (error) {
      this.#stopping = true;
      await Promise.all(this.#places.map(async (place) => place.thread?.kill()));
      throw error;
    } finally {
      await releasePorts();
    }
  }

  broadcast(message: ToWorker, except?: number): void {
    for (const { index, thread } of this.#places) if (index !== except) thread?.post(message);
  }

  /** Where the counters of all workers stand; of one that does not answer in time, where they stood last. */
  async measure(): Promise<{ readonly worker: number; readonly measurement: Measurement }[]> {
    await Promise.all(this.#places.map((place) => this.#measure(place)));
    return this.#places.flatMap(({ index, last }) =>
      last === undefined ? [] : [{ worker: index, measurement: last }],
    );
  }

  /** Lets the workers finish what they have for at most `deadlineMs`, then ends them. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    for (const { restart } of this.#places) restart?.cancel();
    this.broadcast({ kind: 'drain', deadlineMs });
    await Promise.all(
      this.#places.map(async ({ thread }) => {
        if (thread === undefined) return;
        const late = this.#options.clock.after(deadlineMs + DRAIN_GRACE_MS, () => void thread.kill());
        await thread.ended;
        late.cancel();
      }),
    );
  }

  /** Starts a place's thread; resolves with its addresses when it listens. */
  async #launch(place: Place): Promise<readonly ListenAddress[]> {
    const { clock } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<readonly ListenAddress[]>();
    const thread = new WorkerThread(
      `gateway-${place.index}`,
      this.#options.newStart(this.#addresses, place.index),
      (message) => {
        if (message.kind === 'listening') {
          place.listening = true;
          resolve(message.addresses);
        }
        this.#onMessage(place, message);
      },
    );
    place.thread = thread;
    place.startedMs = clock.now();
    const late = clock.after(START_MAX_MS, () => void thread.kill());
    void this.#awaitEnd(place, thread, reject);
    return promise.finally(() => late.cancel());
  }

  async #awaitEnd(place: Place, thread: WorkerThread, reject: (error: Error) => void): Promise<void> {
    const cause = await thread.ended;
    reject(new UsherError('internal', `gateway worker ${place.index} ended: ${cause ?? 'it was stopped'}`));
    if (!this.#stopping) this.#options.log.error('a gateway worker ended', { worker: place.index, cause });
    this.#onEnd(place);
  }

  #onMessage(place: Place, message: FromWorker): void {
    if (message.kind === 'measured') {
      place.last = message.measurement;
      this.#measurements.get(message.id)?.(message.measurement);
      this.#measurements.delete(message.id);
    } else if (message.kind === 'drained') void place.thread?.kill();
    else if (message.kind === 'log') {
      this.#options.log[message.level](message.message, { ...message.fields, worker: place.index });
    }
    this.#options.onMessage(place.index, message);
  }

  #onEnd(place: Place): void {
    const { clock } = this.#options;
    place.thread = undefined;
    place.listening = false;
    this.#options.onDeath(place.index, place.last);
    place.last = undefined;
    if (this.#stopping) return;
    this.#restarts += 1;
    if (clock.now() - place.startedMs >= STABLE_MS) place.restartDelayMs = RESTART_DELAY_MIN_MS;
    place.restart = clock.after(place.restartDelayMs, () => {
      // A failure to start ends the thread, which brings us here again.
      if (!this.#stopping) this.#launch(place).catch(() => {});
    });
    place.restartDelayMs = Math.min(place.restartDelayMs * 2, RESTART_DELAY_MAX_MS);
  }

  async #measure({ thread, listening }: Place): Promise<void> {
    if (thread === undefined || !listening) return;
    const id = this.#nextMeasurement++;
    const { promise, resolve } = Promise.withResolvers<void>();
    const late = this.#options.clock.after(MEASURE_MAX_MS, resolve);
    this.#measurements.set(id, () => resolve());
    thread.post({ kind: 'measure', id });
    await promise;
    late.cancel();
    this.#measurements.delete(id);
  }
}

/**
 * Refuses an address that somebody listens on already. Workers share their ports with each other, and so the kernel would
 * let two gateways on one machine share them by mistake too, each getting a part of the traffic.
 */
async function assertFree({ host, port }: ListenAddress): Promise<void> {
  if (port === 0) return;
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const cause =
        error.code === 'EADDRINUSE'
          ? 'another process listens there; stop it, or choose another port'
          : error.message;
      reject(new UsherError('conflict', `listen: cannot listen on ${host}:${port}: ${cause}`));
    });
    probe.listen({ host, port, exclusive: true }, resolve);
  });
  await new Promise((resolve) => probe.close(resolve));
}
