import { type RouteQuestion, UsherError } from '@usher/domain';
import type { RouteAct } from '@usher/events';
import type { Clock, Log, Timer } from '@usher/ports';
import type { FromWorker, ListenerStart, Measurement, ToWorker, WorkerStart } from '../worker/protocol.ts';
import type { WorkerAnswer } from '../worker/route-desk.ts';
import { endStuckWorkers, type Watched } from './stuck-workers.ts';
import type { RunningWorker, StartWorker } from './worker-thread.ts';

/** How long a worker may take to listen; it takes about 100 ms. */
const START_MAX_MS = 20_000;
/** A worker that died comes back after this long, twice as long each time, up to the maximum. */
const RESTART_DELAY_MIN_MS = 50;
const RESTART_DELAY_MAX_MS = 5_000;
/** A worker that has lived this long is no crash loop any more. */
const STABLE_MS = 30_000;
/** How long a worker may take to say where its counters stand. */
const MEASURE_MAX_MS = 1_000;
/** How long a worker may take to answer what it would do with a request. */
const ANSWER_MAX_MS = 2_000;
/** How long a worker may take, beyond its deadline, to say that it has drained. */
const DRAIN_GRACE_MS = 1_000;

export interface WorkersOptions {
  readonly count: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly startWorker: StartWorker;
  /** What a worker that starts now has to know. */
  newStart(worker: number): WorkerStart;
  onMessage(worker: number, message: FromWorker): void;
  /** A worker died; what it had under way is gone. `last` is where its counters were last seen. */
  onDeath(worker: number, last: Measurement | undefined): void;
}

type Prepared = Extract<FromWorker, { readonly kind: 'prepared' | 'unprepared' }>;

/** A place for a worker: the thread changes when it dies, the place stays. */
interface Place extends Watched {
  thread: RunningWorker | undefined;
  listening: boolean;
  /** Settled unless its thread is on its way up. */
  launched: Promise<void>;
  /** Takes the thread's answer to a change of the listeners; undefined when it has died. */
  onPrepared: ((answer: Prepared | undefined) => void) | undefined;
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
  /** Settled unless the listeners are changing. */
  #changed: Promise<void> = Promise.resolve();
  readonly #asked = new Map<number, (answer: WorkerAnswer) => void>();
  #nextMeasurement = 0;
  #nextQuestion = 0;
  #restarts = 0;
  #stopping = false;
  #stuck: Timer | undefined;

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.#places = Array.from({ length: options.count }, (_, index) => ({
      index,
      thread: undefined,
      listening: false,
      launched: Promise.resolve(),
      onPrepared: undefined,
      restartDelayMs: RESTART_DELAY_MIN_MS,
      startedMs: 0,
      restart: undefined,
      silent: 0,
      last: undefined,
    }));
  }

  get count(): number {
    return this.#places.length;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get listening(): number {
    return this.#places.filter(({ listening }) => listening).length;
  }

  /** Resolves when all workers are there. Rejects with what is wrong when the first attempt of any of them fails. */
  async start(): Promise<void> {
    await Promise.all(this.#places.map((place) => this.#launch(place)));
    this.#stuck = endStuckWorkers(this.#options.clock, this.#options.log, this.#places);
  }

  /**
   * Has all workers listen as `listen` says, or none: then it rejects. `agreed` is called with the ports when all can, before
   * any worker does and before any other is started. One call has to be over before the next.
   */
  async listen(listen: readonly ListenerStart[], agreed: (ports: readonly number[]) => void): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#changed = promise;
    // A worker that starts before the change or after it takes no part in it.
    await Promise.allSettled(this.#places.map(({ launched }) => launched));
    try {
      agreed(await this.#prepare(listen));
      this.broadcast({ kind: 'commit' });
    } catch (error) {
      this.broadcast({ kind: 'abort' });
      throw error;
    } finally {
      resolve();
    }
  }

  /** Ends all workers as they are. */
  async kill(): Promise<void> {
    this.#beginStop();
    await Promise.all(this.#places.map(async ({ thread }) => thread?.kill()));
  }

  broadcast(message: ToWorker, except?: number): void {
    for (const { index, thread } of this.#places) if (index !== except) thread?.post(message);
  }

  /** Nothing when the worker is not running. */
  post(worker: number, message: ToWorker): void {
    this.#places[worker]?.thread?.post(message);
  }

  /** Where the counters of all workers stand; of one that does not answer in time, where they stood last. */
  async measure(): Promise<{ readonly worker: number; readonly measurement: Measurement }[]> {
    await Promise.all(this.#places.map((place) => this.#measure(place)));
    return this.#places.flatMap(({ index, last }) =>
      last === undefined ? [] : [{ worker: index, measurement: last }],
    );
  }

  /** Asks the first worker that listens; undefined when none does, or it does not answer in time. */
  async ask(act: RouteAct, question: RouteQuestion): Promise<WorkerAnswer | undefined> {
    const thread = this.#places.find(({ listening }) => listening)?.thread;
    if (thread === undefined) return undefined;
    const id = this.#nextQuestion++;
    const { promise, resolve } = Promise.withResolvers<WorkerAnswer | undefined>();
    const late = this.#options.clock.after(ANSWER_MAX_MS, () => resolve(undefined));
    this.#asked.set(id, resolve);
    thread.post({ kind: 'ask', id, act, question });
    const answer = await promise;
    late.cancel();
    this.#asked.delete(id);
    return answer;
  }

  /** Has the workers keep no connection beyond its next answer; resolves after `forMs`, in which they take what comes. */
  async leave(forMs: number): Promise<void> {
    if (forMs === 0) return;
    this.broadcast({ kind: 'leave' });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#options.clock.after(forMs, resolve);
    await promise;
  }

  /** Lets the workers finish what they have for at most `deadlineMs`, then ends them. */
  async stop(deadlineMs: number): Promise<void> {
    this.#beginStop();
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

  #beginStop(): void {
    this.#stopping = true;
    this.#stuck?.cancel();
    for (const { restart } of this.#places) restart?.cancel();
  }

  /** Answers with the ports. All workers have answered when it is over. */
  async #prepare(listen: readonly ListenerStart[]): Promise<readonly number[]> {
    const asked: Promise<Prepared | undefined>[] = [];
    let ports: readonly number[] | undefined;
    for (const place of this.#places) {
      if (!place.listening) continue;
      const found = ports?.map((port, at) => ({ ...listen[at]!, port }));
      const answer = this.#ask(place, found ?? listen);
      asked.push(answer);
      // The first one finds the ports, the others share them.
      const first = ports === undefined ? await answer : undefined;
      if (first?.kind === 'unprepared')
        throw new UsherError('conflict', `listen: cannot listen: ${first.cause}`);
      ports ??= first?.ports;
    }
    for (const answer of await Promise.all(asked))
      if (answer?.kind === 'unprepared')
        throw new UsherError('conflict', `listen: cannot listen: ${answer.cause}`);
    if (ports === undefined) throw new UsherError('internal', 'no worker of the gateway is running');
    return ports;
  }

  #ask(place: Place, listen: readonly ListenerStart[]): Promise<Prepared | undefined> {
    const { promise, resolve } = Promise.withResolvers<Prepared | undefined>();
    place.onPrepared = resolve;
    place.thread?.post({ kind: 'prepare', listen });
    return promise;
  }

  /** Starts a place's thread; resolves when it listens. */
  #launch(place: Place): Promise<void> {
    const { clock, startWorker } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const thread = startWorker(`gateway-${place.index}`, this.#options.newStart(place.index), (message) => {
      if (message.kind === 'listening') {
        place.listening = true;
        resolve();
      }
      this.#onMessage(place, message);
    });
    place.thread = thread;
    place.silent = 0;
    place.startedMs = clock.steady();
    const late = clock.after(START_MAX_MS, () => void thread.kill());
    void this.#awaitEnd(place, thread, reject);
    place.launched = promise.finally(() => late.cancel());
    return place.launched;
  }

  async #awaitEnd(place: Place, thread: RunningWorker, reject: (error: Error) => void): Promise<void> {
    const cause = await thread.ended;
    reject(new UsherError('internal', `gateway worker ${place.index} ended: ${cause ?? 'it was stopped'}`));
    if (!this.#stopping) this.#options.log.error('a gateway worker ended', { worker: place.index, cause });
    this.#onEnd(place);
  }

  #onMessage(place: Place, message: FromWorker): void {
    place.silent = 0;
    if (message.kind === 'measured') {
      place.last = message.measurement;
      this.#measurements.get(message.id)?.(message.measurement);
      this.#measurements.delete(message.id);
    } else if (message.kind === 'answered') this.#asked.get(message.id)?.(message.answer);
    else if (message.kind === 'prepared' || message.kind === 'unprepared') place.onPrepared?.(message);
    else if (message.kind === 'drained') void place.thread?.kill();
    else if (message.kind === 'log') {
      this.#options.log[message.level](message.message, { ...message.fields, worker: place.index });
    }
    this.#options.onMessage(place.index, message);
  }

  #onEnd(place: Place): void {
    const { clock } = this.#options;
    place.thread = undefined;
    place.listening = false;
    place.onPrepared?.(undefined);
    this.#options.onDeath(place.index, place.last);
    place.last = undefined;
    if (this.#stopping) return;
    this.#restarts += 1;
    if (clock.steady() - place.startedMs >= STABLE_MS) place.restartDelayMs = RESTART_DELAY_MIN_MS;
    place.restart = clock.after(place.restartDelayMs, () => void this.#relaunch(place));
    place.restartDelayMs = Math.min(place.restartDelayMs * 2, RESTART_DELAY_MAX_MS);
  }

  async #relaunch(place: Place): Promise<void> {
    let seen: Promise<void> | undefined;
    while (seen !== this.#changed) {
      seen = this.#changed;
      await seen;
    }
    // A failure to start ends the thread, which has it started again.
    if (!this.#stopping) await this.#launch(place).catch(() => {});
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
