import { setImmediate } from 'node:timers/promises';
import { FleetFold } from '@usher/actors';
import { NO_RESOURCES, type PoolSettings } from '@usher/domain';
import { type EventDraft, envelop, type UsherEvent } from '@usher/events';
import {
  type Clock,
  type Random,
  type Reservations,
  type StateStore,
  StoreUnavailableError,
} from '@usher/ports';
import { openEmbeddedStore } from '@usher/state-store';
import { type SimulatedClock, seededRandom } from '@usher/testing';
import { Facts } from '../control/facts.ts';
import { Allocations } from '../control/reservations/allocations.ts';
import type { ReservationStore } from '../control/reservations/store-link.ts';
import { ResourceFactsFeed } from '../control/resource-facts.ts';
import type { FromWorker, ReserveResult } from '../worker/protocol.ts';
import { policy, pool } from './fixtures.ts';

const cores = (count: number) => ({ ...NO_RESOURCES, milliCpu: 1000 * count });

/** A pool whose requests each need a core, or two. */
function reservingPool(changes: Partial<PoolSettings> = {}): PoolSettings {
  const tiers = [
    { name: 'one', resources: cores(1) },
    { name: 'two', resources: cores(2) },
  ];
  return pool({ tiers, reserve: 'request', ...changes });
}

export interface FleetOptions {
  readonly clock: Clock;
  readonly pool?: Partial<PoolSettings>;
  /** Cores of each backend; undefined: none was declared. */
  readonly backends: Readonly<Record<string, number | undefined>>;
  /** Of its chance; fleets that share a store need one each. */
  readonly seed?: number;
}

type Ask = Partial<Extract<FromWorker, { readonly kind: 'reserve' }>>;

/** Gateways' reservations over one log, which is here as soon as it is told. */
export class ReservingFleet {
  readonly fold = new FleetFold();
  readonly resources: ResourceFactsFeed;
  /** Every event so far. */
  readonly history: UsherEvent[] = [];
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #gateways: ReservingGateway[] = [];
  #position = 0;

  constructor({ clock, pool: changes = {}, backends, seed = 5 }: FleetOptions) {
    this.#clock = clock;
    this.#random = seededRandom(seed);
    this.resources = new ResourceFactsFeed(this.fold, clock);
    this.append(
      { type: 'config.applied', subject: 'fleet', data: { revision: 1, hash: 'h', policy: policy() } },
      { type: 'pool.added', subject: 'web', data: { settings: reservingPool(changes), origin: 'config' } },
      ...Object.entries(backends).map(([id, count]): EventDraft => {
        const capacity = count === undefined ? {} : { capacity: cores(count) };
        const settings = { id, pool: 'web', url: 'http://127.0.0.1:9', weight: 1, ...capacity };
        return {
          type: 'backend.registered',
          subject: id,
          data: { settings, origin: 'config', health: 'unchecked' },
        };
      }),
    );
  }

  /** Appends what others than gateways write. */
  append(...drafts: EventDraft[]): void {
    const origin = { source: 'usher/scheduler/test', timeMs: this.#clock.now(), actor: 'test' };
    this.take(envelop(drafts, origin, () => this.#random.uuid()));
  }

  change(settings: Partial<PoolSettings>): void {
    this.append({ type: 'pool.updated', subject: 'web', data: { settings: reservingPool(settings) } });
  }

  take(events: readonly UsherEvent[]): void {
    this.#position += 1;
    this.history.push(...events);
    const record = { position: this.#position, subject: 's', events, quarantined: [] };
    this.fold.apply(record);
    this.resources.onRecord(record);
    for (const gateway of this.#gateways) for (const event of events) gateway.allocations.follow(event);
  }

  /** Allocations of a backend, as the log has them. */
  logged(backend = 'b1'): string[] {
    return [...(this.fold.state.backends.get(backend)?.allocations.keys() ?? [])];
  }

  told(type: UsherEvent['type']): UsherEvent[] {
    return this.history.filter((event) => event.type === type);
  }

  /** A gateway that has said that it runs. */
  gateway(name: string, store: ReservationStore): ReservingGateway {
    this.append({
      type: 'gateway.started',
      subject: name,
      data: { gateway: name, version: '0', workers: 2 },
    });
    const gateway = new ReservingGateway(this, name, store, this.#clock, this.#random);
    this.#gateways.push(gateway);
    gateway.allocations.start();
    return gateway;
  }
}

/** The reservations of one gateway, and what it answered to its workers. */
export class ReservingGateway {
  readonly name: string;
  readonly allocations: Allocations;
  /** By worker and id. */
  readonly answers = new Map<string, ReserveResult>();
  /** What the log does not take while it is away. */
  logAway = false;
  #lastId = 0;

  constructor(fleet: ReservingFleet, name: string, store: ReservationStore, clock: Clock, random: Random) {
    this.name = name;
    const context = {
      instance: name,
      fleet: fleet.fold,
      outbox: {
        pending: 0,
        flush: async () => {},
        offer: (_subject: string, events: readonly UsherEvent[]) => {
          if (!this.logAway) fleet.take(events);
          return !this.logAway;
        },
      },
      store,
      clock,
      random,
    };
    this.allocations = new Allocations({
      context,
      facts: new Facts(context),
      fallback: [],
      table: {
        pools: () => Array.from(fleet.fold.state.pools.values(), ({ settings }) => settings),
        pool: (id) => fleet.fold.state.pools.get(id)?.settings,
      },
      resources: fleet.resources,
      answer: (worker, { id, result }) => this.answers.set(`${worker} ${id}`, result),
    });
  }

  /** Asks for a worker; answers with the id, by which `answer` finds the answer. */
  ask(ask: Ask = {}, worker = 0): string {
    const id = (this.#lastId += 1);
    const usual = { kind: 'reserve', id, pool: 'web', tier: 'one', candidates: ['b1'] } as const;
    this.allocations.onMessage(worker, { ...usual, ...ask });
    return `${worker} ${id}`;
  }

  /** Asks and waits for the answer. */
  async reserve(ask: Ask = {}, worker = 0): Promise<ReserveResult> {
    const key = this.ask(ask, worker);
    await settled(() => this.answers.has(key));
    return this.answers.get(key)!;
  }

  /** Asks for what has to be granted; answers with the allocation. */
  async granted(ask: Ask = {}, worker = 0): Promise<string> {
    const result = await this.reserve(ask, worker);
    if (result.outcome !== 'granted') throw new Error(`it is ${JSON.stringify(result)}`);
    return result.allocation;
  }

  giveBack(allocation: string, worker = 0): void {
    this.allocations.onMessage(worker, { kind: 'give_back', pool: 'web', allocations: [allocation] });
  }

  withdraw(key: string): void {
    const [worker, id] = key.split(' ').map(Number);
    this.allocations.onMessage(worker!, { kind: 'withdraw', id: id! });
  }

  get seen() {
    return this.allocations.seen().get('web')!;
  }
}

/**
 * How a gateway reaches its store. `mute`: what it asks for is done, and it does not hear so. `late`: it will be done when it
 * arrives.
 */
type Line = 'up' | 'down' | 'mute' | 'late';

const UP: Line = 'up';

/** One server, as several gateways reach it, each over a line of its own. */
export class TestStore {
  readonly #clock: Clock;
  #embedded: StateStore;
  readonly #closing: StateStore[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#embedded = this.#open();
  }

  get reservations(): Reservations {
    return this.#embedded.reservations;
  }

  /** Loses everything. */
  restart(): void {
    this.#embedded = this.#open();
  }

  /** How one gateway reaches it. */
  line(): ReservationStore & { line: Line; arrive(): Promise<void> } {
    const late: (() => Promise<unknown>)[] = [];
    const over = async <T>(call: (reservations: Reservations) => Promise<T>): Promise<T> => {
      if (reached.line === 'late') {
        late.push(() => call(this.#embedded.reservations));
        throw new StoreUnavailableError('no answer');
      }
      const answer = reached.line === 'down' ? undefined : await call(this.#embedded.reservations);
      if (reached.line !== 'up' || answer === undefined) throw new StoreUnavailableError('no answer');
      return answer;
    };
    const reservations: Reservations = {
      reserve: (request) => over((store) => store.reserve(request)),
      release: (...args) => over((store) => store.release(...args)),
      renew: (request) => over((store) => store.renew(request)),
      restore: (request) => over((store) => store.restore(request)),
      sweep: (...args) => over((store) => store.sweep(...args)),
      list: (pool) => over((store) => store.list(pool)),
    };
    const status = { connected: true, sinceMs: 0 };
    const arrive = async (): Promise<void> => {
      for (const call of late.splice(0)) await call();
    };
    const reached = { reservations, line: UP, arrive, status: () => status, onStatus: () => {} };
    return reached;
  }

  /** Allocations of the pool, by their backends. */
  async held(): Promise<string[]> {
    const { allocations } = await this.reservations.list('web');
    return allocations.map(({ backend }) => backend).toSorted();
  }

  close(): void {
    for (const store of this.#closing) void store.close();
  }

  #open(): StateStore {
    const store = openEmbeddedStore({ clock: this.#clock });
    this.#closing.push(store);
    return store;
  }
}

const STEP_MS = 25;

/** Lets time pass, with what it sets off. */
export async function pass(clock: SimulatedClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += STEP_MS) {
    clock.advance(STEP_MS);
    for (let turn = 0; turn < 4; turn++) await setImmediate();
  }
}

/** Lets everything run that needs no time until something holds. */
export async function settled(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let turns = 0; turns < 100_000; turns++) {
    if (await holds()) return;
    await setImmediate();
  }
  throw new Error('it does not come about');
}
