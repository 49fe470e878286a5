import { randomUUIDv7 } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import { FastRandom } from '@usher/domain';
import { PluginLane } from '../plugin-lane/plugin-lane.ts';
import { ProxySenders } from '../proxy-protocol/senders.ts';
import { WorkerTable } from '../table/worker-table.ts';
import type { ListenerTls } from '../tls/contexts.ts';
import { TlsCounters } from '../tls/counters.ts';
import { TlsListener } from '../tls/tls-listener.ts';
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
  readonly #tlsCounters = new TlsCounters();
  readonly #log: PortLog;
  #servers: Server[] = [];
  /** By the places of their listeners. */
  readonly #tls = new Map<number, TlsListener>();
  #ticking: NodeJS.Timeout | undefined;
  #tickDueMs = 0;
  #loopDelayMaxMs = 0;
  #utilization: EventLoopUtilization = performance.eventLoopUtilization();
  /** What the last observation covered. */
  #observed = { position: -1, requests: 0, errors: 0 };

  constructor(start: WorkerStart, post: (message: FromWorker) => void) {
    this.#start = start;
    this.#post = post;
    this.#log = new PortLog(post);
    const draws = [...start.seed];
    const random = new FastRandom({ next: () => draws.pop() ?? 0 });
    this.#table = new WorkerTable(
      start.policy,
      random,
      (news) => post({ kind: 'breaker', news }),
      start.worker,
      this.#log,
    );
    this.#table.apply(start.deltas, start.position, this.#clock.now());
    const { now } = this.#clock;
    const onUnreachable = (host: string): void => post({ kind: 'unreachable', host });
    const tools = {
      table: this.#table,
      now,
      newRequestId: () => randomUUIDv7(),
      log: this.#log,
      dialler: new Dialler({ log: this.#log, now, onUnreachable }),
      workers: start.workers,
    };
    this.#plugins = new PluginLane({ ...tools, counters: this.#pluginCounters });
    this.#wire = createWireLane({
      ...tools,
      counters: this.#wireCounters,
      handOver: (socket, head, client) => this.#plugins.accept(socket, head, client),
    });
  }

  /** Starts to listen. All workers of a gateway listen on the same addresses; the kernel deals the connections out. */
  async listen(): Promise<void> {
    const addresses: ListenAddress[] = [];
    await this.#table.strategiesLoaded();
    try {
      const { listen, tls } = this.#start;
      for (const [place, address] of listen.entries())
        addresses.push(await this.#listenOn(address, this.#acceptor(place, address, tls[place])));
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
      case 'tls':
        this.#tls.get(message.listener)?.update(message.tls);
        break;
      case 'measure':
        this.#post({ kind: 'measured', id: message.id, measurement: this.#measure() });
        break;
      case 'drain':
        void this.#drain(message.deadlineMs);
        break;
    }
  }

  /** What takes the connections of a listener. */
  #acceptor(
    place: number,
    { proxyProtocol, proxyProtocolFrom }: ListenAddress,
    tls: ListenerTls | undefined,
  ): (socket: Socket) => void {
    const senders = proxyProtocol === true ? new ProxySenders(proxyProtocolFrom ?? []) : undefined;
    const accept = (socket: Socket): void => this.#wire.accept(socket, senders);
    if (tls === undefined) return accept;
    const table = this.#table;
    const listener = new TlsListener(tls, {
      accept,
      now: this.#clock.now,
      handshakeMs: () => table.policy.timeouts.requestHeaderMs,
      handshakesMax: () => Math.ceil(table.policy.limits.connections / this.#start.workers),
      counters: this.#tlsCounters,
      log: this.#log,
    });
    this.#tls.set(place, listener);
    return (socket) => listener.accept(socket);
  }

  async #listenOn(address: ListenAddress, accept: (socket: Socket) => void): Promise<ListenAddress> {
    const { host, port } = address;
    const server = createServer({ allowHalfOpen: true, noDelay: true }, accept);
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, reusePort: true, backlog: BACKLOG_MAX }, resolve);
    });
    const bound = server.address();
    return { ...address, port: typeof bound === 'object' && bound !== null ? bound.port : port };
  }

  #tick(): void {
    const lateMs = performance.now() - this.#tickDueMs;
    this.#loopDelayMaxMs = Math.max(this.#loopDelayMaxMs, lateMs);
    this.#tickDueMs = performance.now() + TICK_MS;
    this.#clock.follow();
    this.#table.tick(this.#clock.now());
    for (const listener of this.#tls.values()) listener.sweep();
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
      tls: this.#tlsCounters.read(),
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
    await Promise.all(Array.from(this.#tls.values(), (listener) => listener.settle(deadlineMs)));
    await new Promise((resolve) => setTimeout(resolve, Math.min(FIRST_REQUEST_MS, deadlineMs)));
    await Promise.all([this.#wire.drain(deadlineMs), this.#plugins.drain(deadlineMs)]);
    clearInterval(this.#ticking);
    this.#observe();
    this.#post({ kind: 'drained' });
  }
}
