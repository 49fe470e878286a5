import { randomUUIDv7 } from 'node:crypto';
import { type EventLoopUtilization, performance } from 'node:perf_hooks';
import { FastRandom } from '@usher/domain';
import { Locator, openPlaceDatabase } from '@usher/geoip';
import { Admission } from '../admission/admission.ts';
import { PluginLane } from '../plugin-lane/plugin-lane.ts';
import { RateAsks } from '../rate/rate-asks.ts';
import { RateCells } from '../rate/rate-cells.ts';
import { RateLimiter } from '../rate/rate-limiter.ts';
import type { TableDelta } from '../routing-table.ts';
import { StoreAsks } from '../sticky/store-asks.ts';
import { Elsewhere } from '../table/elsewhere.ts';
import { ReservationDesk } from '../table/reservation-desk.ts';
import { WorkerTable } from '../table/worker-table.ts';
import { TlsCounters } from '../tls/counters.ts';
import { WireCounters } from '../wire/counters.ts';
import { DebugToken } from '../wire/debug-token.ts';
import { Dialler } from '../wire/dialler.ts';
import { createWireLane, type WireLane } from '../wire/lane.ts';
import { MethodCounts } from '../wire/method-counts.ts';
import { createAcceptor } from './acceptor.ts';
import { Arrivals } from './arrivals.ts';
import { Listeners } from './listeners.ts';
import { PortLog } from './port-log.ts';
import { PressureWatch } from './pressure-watch.ts';
import type { FromWorker, ListenerStart, Measurement, ToWorker, WorkerStart } from './protocol.ts';
import { RouteDesk } from './route-desk.ts';
import { WorkerClock } from './worker-clock.ts';

/** How often breakers are looked at and news go to the control thread; the latter only if there are any. */
const TICK_MS = 100;
/** For what lasts: it never leaps. */
const steady = (): number => performance.now();
/** How long after the last connection was accepted its first request may take: closed before, it would be lost. */
const FIRST_REQUEST_MS = 100;

/** One thread of a gateway: its listeners, its lanes and the table that both decide from. */
export class GatewayWorker {
  readonly #post: (message: FromWorker) => void;
  readonly #start: WorkerStart;
  readonly #clock = new WorkerClock();
  readonly #table: WorkerTable;
  readonly #elsewhere = new Elsewhere();
  readonly #desk: ReservationDesk;
  readonly #asks: StoreAsks;
  readonly #rateAsks: RateAsks;
  readonly #admission: Admission;
  readonly #pressure: PressureWatch | undefined;
  readonly #locator = new Locator();
  readonly #wireCounters = new WireCounters();
  readonly #pluginCounters = new WireCounters();
  readonly #plugins: PluginLane;
  readonly #wire: WireLane;
  readonly #tlsCounters = new TlsCounters();
  readonly #log: PortLog;
  readonly #arrivals: Arrivals;
  readonly #listeners: Listeners;
  readonly #routes: RouteDesk;
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
    const { now } = this.#clock;
    this.#desk = new ReservationDesk(post);
    this.#asks = new StoreAsks((id, question) => post({ kind: 'sticky_ask', id, question }), steady);
    this.#table = new WorkerTable({
      policy: start.policy,
      random,
      now,
      desk: this.#desk,
      asks: this.#asks,
      onMoved: (pool, session, from, to, cause) =>
        post({ kind: 'sticky_moved', pool, session, from, to, cause }),
      worker: start.worker,
      onBreaker: (news) => post({ kind: 'breaker', news }),
      onPoolNews: (news) => post({ kind: 'pool', news }),
      onKeysWanted: (place) => post({ kind: 'keys_wanted', place }),
      log: this.#log,
    });
    this.#rateAsks = new RateAsks((asks) => post({ kind: 'rate_asks', asks }), steady);
    this.#admission = new Admission(new RateLimiter(new RateCells(start.rates), this.#rateAsks, now));
    if (start.overload !== undefined)
      this.#pressure = new PressureWatch(start.overload, this.#admission, (news) =>
        post({ kind: 'pressure', news }),
      );
    this.#apply(start.deltas, start.position);
    const onUnreachable = (host: string): void => post({ kind: 'unreachable', host });
    if (start.geoip !== undefined) this.#locator.use(openPlaceDatabase(start.geoip));
    const tools = {
      table: this.#table,
      now,
      newRequestId: () => randomUUIDv7(),
      admission: this.#admission,
      log: this.#log,
      dialler: new Dialler({ log: this.#log, now, onUnreachable }),
      locate: (address: string) => this.#locator.locate(address),
      debug: start.debugToken === undefined ? undefined : new DebugToken(start.debugToken),
      workers: start.workers,
    };
    this.#routes = new RouteDesk(this.#table, start.worker, tools.locate, now);
    this.#wire = createWireLane({
      ...tools,
      counters: this.#wireCounters,
      handOver: (socket, head, client) => this.#plugins.accept(socket, head, client),
    });
    this.#plugins = new PluginLane({
      ...tools,
      counters: this.#pluginCounters,
      mirrors: this.#wire.mirrors,
    });
    const table = this.#table;
    this.#arrivals = new Arrivals({
      now: steady,
      limitMs: () => table.policy.timeouts.requestHeaderMs,
      max: () => Math.ceil(table.policy.limits.connections / start.workers),
    });
    const acceptorTools = {
      arrivals: this.#arrivals,
      wire: this.#wire,
      counters: this.#wireCounters,
      tlsCounters: this.#tlsCounters,
      now,
      log: this.#log,
    };
    this.#listeners = new Listeners((settings) => createAcceptor(settings, acceptorTools));
  }

  /** Starts to listen and to tell. */
  async listen(): Promise<void> {
    const counting = this.#start.countsMethods ? [this.#wireCounters, this.#pluginCounters] : [];
    for (const counters of counting) counters.methods = new MethodCounts();
    await this.#table.strategiesLoaded();
    try {
      await this.#listeners.prepare(this.#start.listen);
    } catch (error) {
      this.#post({ kind: 'failed', cause: (error as Error).message });
      return;
    }
    this.#listeners.commit();
    this.#post({ kind: 'listening' });
    this.#tickDueMs = performance.now() + TICK_MS;
    this.#ticking = setInterval(() => this.#tick(), TICK_MS);
  }

  handle(message: ToWorker): void {
    switch (message.kind) {
      case 'deltas':
        this.#apply(message.deltas, message.position);
        if (message.deltas.some(({ kind }) => kind === 'addresses')) this.#wire.closeGone();
        if (message.deltas.some(({ kind }) => kind === 'policy')) this.#plugins.update();
        break;
      case 'prepare':
        void this.#prepare(message.listen);
        break;
      case 'commit':
        this.#listeners.commit();
        break;
      case 'abort':
        this.#listeners.abort();
        break;
      case 'tls':
        this.#listeners.update(message.listener, message.tls);
        break;
      case 'elsewhere':
        this.#elsewhere.hear(this.#table.pools, message.inFlight);
        break;
      case 'measure':
        this.#post({ kind: 'measured', id: message.id, measurement: this.#measure() });
        break;
      case 'ask':
        this.#post({
          kind: 'answered',
          id: message.id,
          answer: this.#routes.answer(message.act, message.question),
        });
        break;
      case 'reserved':
        this.#desk.onReserved(message.id, message.pool, message.result);
        break;
      case 'rate_answers':
        for (const answer of message.answers) this.#rateAsks.answered(answer);
        break;
      case 'sticky_answer':
        this.#asks.answered(message.id, message.answer);
        break;
      case 'geoip':
        this.#locator.use(openPlaceDatabase(message.content));
        break;
      case 'ping':
        this.#post({ kind: 'pong' });
        break;
      case 'leave':
        this.#wire.leave();
        this.#plugins.leave();
        break;
      case 'drain':
        void this.#drain(message.deadlineMs);
        break;
    }
  }

  #apply(deltas: readonly TableDelta[], position: number): void {
    this.#table.apply(deltas, position, this.#clock.now());
    if (deltas.some(({ kind }) => kind === 'policy')) this.#admission.setRoutes(this.#table.routes);
  }

  async #prepare(listen: readonly ListenerStart[]): Promise<void> {
    const { worker, workers } = this.#start;
    const ours = listen.map((listener) => ({
      ...listener,
      sockets: listener.sockets?.filter((_socket, place) => place % workers === worker),
    }));
    try {
      this.#post({ kind: 'prepared', ports: await this.#listeners.prepare(ours) });
    } catch (error) {
      this.#post({ kind: 'unprepared', cause: (error as Error).message });
    }
  }

  #tick(): void {
    const lateMs = performance.now() - this.#tickDueMs;
    this.#loopDelayMaxMs = Math.max(this.#loopDelayMaxMs, lateMs);
    this.#tickDueMs = performance.now() + TICK_MS;
    const setByMs = this.#clock.follow();
    if (setByMs !== 0) this.#wire.clockSet(setByMs);
    this.#pressure?.look(this.#clock.now(), lateMs);
    this.#table.tick(this.#clock.now());
    this.#asks.sweep();
    this.#rateAsks.sweep();
    this.#arrivals.sweep();
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
      routes: this.#table.countedRoutes.map(({ settings, pool, answers, counts }) => ({
        route: settings.id,
        pool: pool.id,
        answers: [...answers],
        counts: [...counts],
      })),
      mirrors: this.#table.mirrors(),
      lines: this.#table.lines(),
      connectFailures: this.#table.connectFailures(),
      sessions: this.#table.stickiness.counts(),
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
    await this.#listeners.close();
    await this.#arrivals.settle(deadlineMs);
    await new Promise((resolve) => setTimeout(resolve, Math.min(FIRST_REQUEST_MS, deadlineMs)));
    await Promise.all([this.#wire.drain(deadlineMs), this.#plugins.drain(deadlineMs)]);
    clearInterval(this.#ticking);
    this.#observe();
    this.#post({ kind: 'drained' });
  }
}
