import { randomUUIDv7 } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import { FastRandom } from '@usher/domain';
import { PluginLane } from '../plugin-lane/plugin-lane.ts';
import { WorkerTable } from '../table/worker-table.ts';
import { WireCounters } from '../wire/counters.ts';
import { Dialler } from '../wire/dialler.ts';
import { createWireLane, type WireLane } from '../wire/lane.ts';
import { PortLog } from './port-log.ts';
import type { FromWorker, ListenAddress, Measurement, ToWorker, WorkerStart } from './protocol.ts';
import { WorkerClock } from './worker-clock.ts';

/** How often breakers are looked at and news go to the control thread; the latter only if there are any. */
const TICK_MS = 100;
/** How long after the last connection was accepted its first request may take: closed before, it would be lost. */
const FIRST_REQUEST_MS = 100;
/** Connections that the kernel may hold for a worker that is busy. */
const BACKLOG_MAX = 4096;

/** One thread of a gateway: its listeners, its lanes and the table that both decide from. */
export class GatewayWorker {
  readonly #post: (message: FromWorker) => void;
  readonly #start: WorkerStart;
  readonly #clock = new WorkerClock();
  readonly #table: WorkerTable;
  readonly #wireCounters = new WireCounters();
  readonly #pluginCounters = new WireCounters();
  readonly #plugins: PluginLane;
  readonly #wire: WireLane;
  #servers: Server[] = [];
  #ticking: NodeJS.Timeout | undefined;
  #tickDueMs = 0;
  #loopDelayMaxMs = 0;
  #utilization: EventLoopUtilization = performance.eventLoopUtilization();
  /** What the last observation covered. */
  #observed = { position: -1, requests: 0, errors: 0 };

  constructor(start: WorkerStart, post: (message: FromWorker) => void) {
    this.#start = start;
    this.#post = post;
    const draws = [...start.seed];
    const random = new FastRandom({ next: () => draws.pop() ?? 0 });
    this.#table = new WorkerTable(
      start.policy,
      random,
      (news) => post({ kind: 'breaker', news }),
      start.worker,
    );
    this.#table.apply(start.deltas, start.position, this.#clock.now());
    const { now } = this.#clock;
    const log = new PortLog(post);
    const onUnreachable = (host: string): void => post({ kind: 'unreachable', host });
    const tools = {
      table: this.#table,
      now,
      newRequestId: () => randomUUIDv7(),
      log,
      dialler: new Dialler({ log, now, onUnreachable }),
      workers: start.workers,
    };
    this.#plugins = new PluginLane({ ...tools, counters: this.#pluginCounters });
    this.#wire = createWireLane({
      ...tools,
      counters: this.#wireCounters,
      handOver: (socket, head) => this.#plugins.accept(socket, head),
    });
  }

  /** Starts to listen. All workers of a gateway listen on the same addresses; the kernel deals the connections out. */
  async listen(): Promise<void> {
    const addresses: ListenAddress[] = [];
    try {
      for (const address of this.#start.listen) addresses.push(await this.#listenOn(address));
    } catch (error) {
      this.#post({ kind: 'failed', cause: (error as Error).message });
      return;
    }
    this.#post({ kind: 'listening', addresses });
    this.#tickDueMs = performance.now() + TICK_MS;
    this.#ticking = setInterval(() => this.#tick(), TICK_MS);
  }

  handle(message: ToWorker): void {
    switch (message.kind) {
      case 'deltas':
        this.#table.apply(message.deltas, message.position, this.#clock.now());
        if (message.deltas.some(({ kind }) => kind === 'addresses')) this.#wire.closeGone();
        if (message.deltas.some(({ kind }) => kind === 'policy')) this.#plugins.update();
        break;
      case 'measure':
        this.#post({ kind: 'measured', id: message.id, measurement: this.#measure() });
        break;
      case 'drain':
        void this.#drain(message.deadlineMs);
        break;
    }
  }

  async #listenOn(address: ListenAddress): Promise<ListenAddress> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#wire.accept(socket),
    );
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ ...address, reusePort: true, backlog: BACKLOG_MAX }, resolve);
    });
    const bound = server.address();
    return {
      host: address.host,
      port: typeof bound === 'object' && bound !== null ? bound.port : address.port,
    };
  }

  #tick(): void {
    const lateMs = performance.now() - this.#tickDueMs;
    this.#loopDelayMaxMs = Math.max(this.#loopDelayMaxMs, lateMs);
    this.#tickDueMs = performance.now() + TICK_MS;
    this.#clock.follow();
    this.#table.tick(this.#clock.now());
    this.#observe();
  }

  /** Tells the control thread what happened since it was told last. Also that a position was reached counts. */
  #observe(): void {
    const { position } = this.#table;
    const answers = [this.#wireCounters.requestsByClass, this.#pluginCounters.requestsByClass];
    let requests = 0;
    let errors = 0;
    for (const byClass of answers) {
      for (const count of byClass) requests += count;
      errors += byClass[5]!;
    }
    const backends = this.#table.observe();
    const { requests: before, errors: errorsBefore } = this.#observed;
    if (backends.length === 0 && position === this.#observed.position && requests === before) return;
    this.#observed = { position, requests, errors };
    const observation = { position, requests: requests - before, errors: errors - errorsBefore, backends };
    this.#post({ kind: 'observed', observation });
  }

  #measure(): Measurement {
    const utilization = performance.eventLoopUtilization();
    const since = performance.eventLoopUtilization(utilization, this.#utilization);
    this.#utilization = utilization;
    const loopDelayMaxMs = this.#loopDelayMaxMs;
    this.#loopDelayMaxMs = 0;
    return {
      routes: this.#table.routes.map(({ settings, answers }) => ({
        route: settings.id,
        pool: settings.pool,
        answers: [...answers],
      })),
      lines: this.#table.lines(),
      connectFailures: this.#table.connectFailures(),
      wire: this.#wireCounters.read(),
      plugin: this.#pluginCounters.read(),
      choosable: this.#table.choosable(),
      loopDelayMaxMs,
      loopUtilization: since.utilization,
    };
  }

  /** Takes no new connection, finishes what is under way, reports it and ends the thread. */
  async #drain(deadlineMs: number): Promise<void> {
    // Once around the loop: what the kernel has accepted for us by now is ours, and closing would reset it.
    await new Promise((resolve) => setImmediate(resolve));
    for (const server of this.#servers) server.close();
    this.#servers = [];
    await new Promise((resolve) => setTimeout(resolve, Math.min(FIRST_REQUEST_MS, deadlineMs)));
    await Promise.all([this.#wire.drain(deadlineMs), this.#plugins.drain(deadlineMs)]);
    clearInterval(this.#ticking);
    this.#observe();
    this.#post({ kind: 'drained' });
  }
}
