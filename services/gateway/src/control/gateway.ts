import { type SharedSettings, UsherError } from '@usher/domain';
import type { LogRecord, ServiceContext, Subscription, Timer } from '@usher/ports';
import type { TableDelta } from '../routing-table.ts';
import type { FromWorker, ListenAddress, Measurement, WorkerStart } from '../worker/protocol.ts';
import { BackendNews } from './backend-news.ts';
import { addDeparted } from './departed.ts';
import { Drains } from './drains.ts';
import { Facts } from './facts.ts';
import { exposeMetrics } from './gateway-metrics.ts';
import { type Gateway, type GatewaySettings, NO_SECRETS, overloadOf, workersOf } from './gateway-settings.ts';
import { GeoipFile } from './geoip-file.ts';
import { InFlightExchange } from './in-flight-exchange.ts';
import { type ListenerSettings, Listeners } from './listeners.ts';
import { Materials } from './materials.ts';
import { Observations } from './observations.ts';
import { OneByOne } from './one-by-one.ts';
import { type Outside, SYSTEM } from './outside.ts';
import { OverloadControl } from './overload-control.ts';
import { Presence } from './presence.ts';
import { Projector } from './projector.ts';
import { Allocations } from './reservations/allocations.ts';
import { RESOLVE_MAX_MS, Resolutions } from './resolutions.ts';
import { FACTS_MS, ResourceFactsFeed } from './resource-facts.ts';
import { serveRouteAnswers } from './route-answers.ts';
import { SharedCells } from './shared-cells.ts';
import { StickyControl } from './sticky-control.ts';
import { Workers } from './workers.ts';

/** How often the log hears what the gateway saw. */
const TELL_MS = 1_000;
/** How often drains are looked at: as often as the workers report. */
const DRAIN_CHECK_MS = 100;
/** How long stopping may wait for the log to take the last facts. */
const FLUSH_MAX_MS = 2_000;

/**
 * Starts a gateway and resolves when all of its workers listen. Until the log has a configuration it goes by
 * `fallback`; from then on only the log counts. Rejects when an address cannot be listened on, or its certificates cannot
 * be used.
 */
export async function startGateway(
  context: ServiceContext,
  settings: GatewaySettings,
  fallback: SharedSettings,
  outside: Partial<Outside> = {},
): Promise<Gateway> {
  const gateway = new RunningGateway(context, settings, fallback, { ...SYSTEM, ...outside });
  await gateway.start(settings.listen);
  return gateway;
}

/** The control thread's part: it follows the log, keeps the workers' tables in step and tells what they saw. */
class RunningGateway implements Gateway {
  readonly name = 'gateway';
  readonly #context: ServiceContext;
  readonly #count: number;
  readonly #told: Pick<WorkerStart, 'debugToken' | 'countsMethods'>;
  readonly #cells: SharedCells;
  readonly #projector: Projector;
  readonly #resources: ResourceFactsFeed;
  readonly #materials: Materials;
  readonly #geoip: GeoipFile | undefined;
  readonly #resolutions: Resolutions;
  readonly #workers: Workers;
  readonly #observations: Observations;
  readonly #news: BackendNews;
  readonly #drains: Drains;
  readonly #inFlight: InFlightExchange;
  readonly #presence: Presence;
  readonly #sticky: StickyControl;
  readonly #allocations: Allocations;
  readonly #overload: OverloadControl;
  readonly #timers: Timer[] = [];
  readonly #listeners: Listeners;
  readonly #changes = new OneByOne();
  /** What was begun and has to be stopped. */
  readonly #running: Subscription[] = [];
  #departed: Measurement | undefined;
  #stopped: Promise<void> | undefined;

  constructor(
    context: ServiceContext,
    settings: GatewaySettings,
    fallback: SharedSettings,
    { resolver, startWorker }: Outside,
  ) {
    const { instance, fleet, clock } = context;
    const log = context.log.child({ service: 'gateway' });
    const facts = new Facts(context);
    this.#context = context;
    this.#count = workersOf(settings);
    const { debugToken, countsMethods = false } = settings;
    this.#told = { debugToken, countsMethods };
    const own = { ...context, log };
    this.#overload = new OverloadControl(own, facts, overloadOf(settings), () => this.#workers);
    const cells = new SharedCells(this.#count, this.#overload.adaptive);
    this.#cells = cells;
    this.#projector = new Projector({ gateway: instance, fleet, fallback, workers: this.#count, cells, log });
    this.#resources = new ResourceFactsFeed(fleet, clock);
    const onChange = (content: SharedArrayBuffer) => this.#workers.broadcast({ kind: 'geoip', content });
    this.#geoip = GeoipFile.of(settings.geoipDatabase, { ...context, log, onChange });
    this.#resolutions = new Resolutions({
      resolver,
      clock,
      log,
      onChange: (host, addresses) => this.#broadcast([{ kind: 'addresses', host, addresses }]),
    });
    this.#observations = new Observations(instance, facts, clock.steady());
    const broadcast = this.#broadcast.bind(this);
    const { secretOf } = settings.secrets ?? NO_SECRETS;
    this.#materials = new Materials({ clock, log, secretOf, table: this.#projector, onChange: broadcast });
    this.#news = new BackendNews({ gateway: instance, facts, table: this.#projector, log, broadcast });
    this.#drains = new Drains(instance, fleet, facts, this.#observations);
    this.#presence = new Presence(own, facts, this.#count);
    this.#allocations = new Allocations({
      context,
      facts,
      fallback: fallback.backends,
      table: this.#projector,
      resources: this.#resources,
      answer: (worker, answer) => this.#workers.post(worker, { kind: 'reserved', ...answer }),
    });
    this.#workers = new Workers({
      count: this.#count,
      clock,
      log,
      startWorker,
      newStart: (worker) => this.#newStart(worker),
      onMessage: (worker, message) => this.#onMessage(worker, message),
      onDeath: (worker, last) => {
        const parts = [this.#observations, this.#cells, this.#allocations, this.#news, this.#overload];
        for (const part of parts) part.forgetWorker(worker);
        if (last !== undefined) this.#departed = addDeparted(this.#departed, last);
      },
    });
    const parts = { facts, projector: this.#projector, workers: this.#workers };
    this.#sticky = new StickyControl(own, { ...(settings.secrets ?? NO_SECRETS), ...parts });
    this.#inFlight = new InFlightExchange(context, this.#observations, this.#projector, this.#workers);
    this.#listeners = new Listeners(clock, log, this.#workers, settings.inherit);
  }

  get addresses(): readonly ListenAddress[] {
    return this.#listeners.addresses;
  }

  async start(listen: readonly ListenerSettings[]): Promise<void> {
    const { fleet, clock, metrics } = this.#context;
    this.#running.push(
      fleet.onRecord((record) => this.#onRecord(record)),
      this.#resolutions,
      this.#materials,
    );
    if (this.#geoip !== undefined) this.#running.push(this.#geoip);
    this.#resolutions.follow(this.#projector.hosts());
    const read = [this.#geoip?.look(), this.#sticky.start(), this.#materials.start()];
    await Promise.all([this.#resolutions.settled(RESOLVE_MAX_MS), ...read]);
    try {
      await this.#workers.start();
      await this.#listeners.change(listen);
    } catch (error) {
      await this.#workers.kill();
      for (const part of this.#running) part.stop();
      throw error;
    }
    this.#presence.start();
    this.#running.push(serveRouteAnswers(this.#context, this.#workers));
    this.#running.push(this.#sticky, this.#inFlight, this.#overload, this.#listeners);
    this.#inFlight.start();
    this.#allocations.start();
    this.#overload.start(this.#projector.policy);
    this.#timers.push(
      clock.every(TELL_MS, () => this.#tell()),
      clock.every(FACTS_MS, () => this.#broadcast(this.#resources.take())),
      clock.every(DRAIN_CHECK_MS, () => this.#drains.check(this.#count)),
    );
    this.#news.exposeMetrics(metrics);
    exposeMetrics(metrics, {
      measure: () => this.#workers.measure(),
      departed: () => (this.#departed === undefined ? [] : [this.#departed]),
      backends: () => this.#observations.totals(this.#projector.backends()),
      restarts: () => this.#workers.restarts,
      hosts: () => this.#resolutions.known,
      certificates: () => this.#listeners.certificates,
      reloads: () => this.#listeners.reloads,
      moves: () => this.#sticky.news.totals(),
      reservations: () => this.#allocations.seen(),
    });
  }

  listen(listen: readonly ListenerSettings[]): Promise<void> {
    return this.#changes.run(async () => {
      if (this.#stopped !== undefined) throw new UsherError('conflict', 'the gateway is stopping');
      await this.#listeners.change(listen);
    });
  }

  fault(): string | undefined {
    if (this.#stopped !== undefined) return 'the gateway is stopping';
    const missing = this.#count - this.#workers.listening;
    if (missing > 0) return `${missing} of ${this.#count} workers are not running`;
    const certificates = this.#listeners.certificates.map((each) => each.fault());
    const own = [this.#presence.fault, this.#overload.fault, this.#materials.fault];
    return [...own, ...certificates].find((fault) => fault !== undefined);
  }

  async leave(): Promise<void> {
    await this.#workers.leave(this.#projector.policy.timeouts.lameDuckMs ?? 0);
  }

  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  async #stop(): Promise<void> {
    const { outbox, clock, log } = this.#context;
    await this.#changes.idle();
    await this.#workers.stop(this.#projector.policy.timeouts.shutdownMs);
    await this.#allocations.stop();
    for (const timer of this.#timers) timer.cancel();
    for (const part of this.#running) part.stop();
    this.#news.retell();
    this.#observations.tell(clock.steady());
    this.#presence.retire();
    try {
      await outbox.flush(FLUSH_MAX_MS);
    } catch (error) {
      log.warn('the log did not take the last facts of the gateway', { cause: String(error) });
    }
    await this.#presence.stop();
  }

  #newStart(worker: number): WorkerStart {
    const { random, fleet } = this.#context;
    return {
      listen: this.#listeners.starts,
      worker,
      workers: this.#count,
      seed: [random.next(), random.next(), random.next(), random.next()],
      policy: this.#projector.policy,
      deltas: [
        ...this.#projector.snapshot(),
        ...this.#resources.snapshot(),
        ...this.#news.snapshot(),
        ...this.#materials.snapshot(),
        ...this.#sticky.snapshot(),
        ...this.#resolutions.snapshot(),
      ],
      position: fleet.position,
      geoip: this.#geoip?.content,
      ...this.#told,
      ...this.#overload.starting(this.#projector.policy),
    };
  }

  #onRecord(record: LogRecord): void {
    const deltas = this.#projector.changesBy(record);
    this.#overload.rates.follow(this.#projector.policy);
    this.#resources.onRecord(record);
    const draining = record.events.some(({ type }) => type === 'backend.drain_started');
    // A drain changes no row when the backend got nothing anyway, and yet the workers have to confirm that they know.
    if (deltas.length > 0 || draining) {
      const all = [...deltas, ...this.#materials.follow(deltas)];
      this.#workers.broadcast({ kind: 'deltas', deltas: all, position: record.position });
    }
    this.#sticky.onRecord(record);
    if (deltas.some(({ kind }) => kind !== 'policy')) this.#resolutions.follow(this.#projector.hosts());
    for (const event of record.events) {
      this.#allocations.follow(event);
      this.#news.follow(event);
      if (event.type === 'backend.removed') this.#observations.forgetBackend(event.data.backend);
      this.#presence.follow(event);
    }
  }

  #onMessage(worker: number, message: FromWorker): void {
    if (message.kind === 'observed') this.#observations.add(worker, message.observation);
    else if (message.kind === 'unreachable') this.#resolutions.hurry(message.host);
    else {
      this.#materials.onMessage(message);
      this.#news.onMessage(worker, message);
      this.#allocations.onMessage(worker, message);
      this.#sticky.onMessage(worker, message);
      this.#overload.onMessage(worker, message);
    }
  }

  /** What the log does not say. */
  #broadcast(deltas: readonly TableDelta[], except?: number): void {
    if (deltas.length === 0) return;
    this.#workers.broadcast({ kind: 'deltas', deltas, position: this.#context.fleet.position }, except);
  }

  #tell(): void {
    this.#presence.announce();
    this.#news.retell();
    const { events, clock } = this.#context;
    // What is seen during an outage is one sum in the end and not an event for each of its seconds.
    if (events.status().connected) this.#observations.tell(clock.steady());
  }
}
