import type { BackendSettings, PoolSettings } from '@usher/domain';
import type { EventData, UsherEvent } from '@usher/events';
import type { ServiceContext, Timer } from '@usher/ports';
import type { FromWorker, ReserveAsked, ReserveResult } from '../../worker/protocol.ts';
import type { Facts } from '../facts.ts';
import type { ResourceFactsFeed } from '../resource-facts.ts';
import type { Ask } from './ask.ts';
import { BackendsSeen } from './backends-seen.ts';
import type { ReservationCounts } from './counts.ts';
import { PoolDesk } from './pool-desk.ts';
import type { ReservationStore } from './store-link.ts';

/** How often the store hears that this gateway lives: a third of the lease. */
const RENEW_MS = 3_000;
/** How often what has expired is looked for, and what the log did not take is told again. */
const LOOK_MS = 1_000;
/** How often the log is compared with what is held. */
const RECONCILE_MS = 5_000;

export interface AllocationsOptions {
  readonly context: Pick<ServiceContext, 'instance' | 'fleet' | 'outbox' | 'clock' | 'random'> & {
    readonly store: ReservationStore;
  };
  readonly facts: Facts;
  /** What to go by until the log has a configuration. */
  readonly fallback: readonly BackendSettings[];
  /** The pools as they are now. */
  readonly table: { pools(): readonly PoolSettings[]; pool(id: string): PoolSettings | undefined };
  readonly resources: ResourceFactsFeed;
  answer(worker: number, answer: ReserveAnswer): void;
}

/** What a worker hears. */
interface ReserveAnswer {
  readonly id: number;
  readonly pool: string;
  readonly result: ReserveResult;
}

/** What there is to know of one pool's reservations in this gateway. */
export interface PoolReservationsSeen {
  readonly held: number;
  readonly waiting: number;
  /** Facts that the log has not taken yet, and that it never will. */
  readonly untold: number;
  readonly lost: number;
  readonly counts: ReservationCounts;
}

/**
 * The reservations of a gateway: answers its workers, owns what was granted until it is given back, and gives it back when
 * those who used it are gone. No request waits for the log, and none longer for the store than that takes to fail.
 */
export class Allocations {
  readonly #options: AllocationsOptions;
  readonly #backends: BackendsSeen;
  readonly #desks = new Map<string, PoolDesk>();
  /** Not answered yet, by worker and id. */
  readonly #asks = new Map<string, Ask>();
  readonly #timers: Timer[] = [];
  #stopped = false;

  constructor(options: AllocationsOptions) {
    this.#options = options;
    const { resources, fallback, context } = options;
    this.#backends = new BackendsSeen({ fleet: context.fleet, me: context.instance, resources, fallback });
  }

  start(): void {
    const { clock, store } = this.#options.context;
    this.#followPools();
    store.onStatus(() => {
      if (!this.#stopped) this.#each(({ holdings }) => void holdings.link.tell());
    });
    this.#timers.push(
      clock.every(RENEW_MS, () => this.#each(({ holdings }) => void holdings.renew())),
      clock.every(LOOK_MS, () => {
        this.#each(({ holdings }) => void holdings.sweep());
        this.#retell();
      }),
      clock.every(RECONCILE_MS, () => this.#reconcile()),
    );
  }

  /** What there is to know of each pool that reserves. */
  seen(): ReadonlyMap<string, PoolReservationsSeen> {
    return new Map(
      Array.from(this.#desks, ([pool, { holdings, waiting, counts }]) => {
        const { held, facts } = holdings;
        return [pool, { held: held.size, waiting, untold: facts.untold, lost: facts.lost, counts }] as const;
      }),
    );
  }

  /** Messages that are about something else are left alone. */
  onMessage(worker: number, message: FromWorker): void {
    if (message.kind === 'reserve') this.#ask(worker, message);
    else if (message.kind === 'withdraw') this.#withdraw(keyOf(worker, message.id));
    else if (message.kind === 'give_back')
      this.#desks.get(message.pool)?.holdings.giveBack(worker, message.allocations);
  }

  /** A worker died, and with it all of its requests. */
  forgetWorker(worker: number): void {
    for (const [key, ask] of this.#asks) {
      if (ask.worker !== worker) continue;
      ask.over = true;
      this.#asks.delete(key);
    }
    this.#each((desk) => {
      desk.leave((ask) => ask.worker === worker);
      desk.holdings.forgetWorker(worker);
    });
  }

  /** To be told of every event, after it was folded and is in the table. */
  follow(event: UsherEvent): void {
    if (event.type === 'config.applied' || event.type.startsWith('pool.')) this.#followPools();
    if (event.type === 'allocations.purged') this.#purge(event.data);
    const { instance } = this.#options.context;
    if (event.type === 'gateway.lost' && event.data.gateway === instance && !this.#stopped)
      this.#each(({ holdings }) => holdings.tellAgain());
  }

  #purge({ pool, ofBackend, session }: EventData<'allocations.purged'>): void {
    this.#desks
      .get(pool)
      ?.holdings.purge(
        (held) =>
          (ofBackend === undefined || held.backend === ofBackend) &&
          (session === undefined || held.session?.id === session),
      );
  }

  /** Gives back everything. Requests are refused from now on. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) timer.cancel();
    await Promise.all(Array.from(this.#desks.values(), (desk) => desk.stop()));
    this.#retell();
  }

  /** A pool that reserves no more keeps what is in use until that is given back. */
  #followPools(): void {
    if (this.#stopped) return;
    const { table } = this.#options;
    for (const pool of table.pools()) if (reserves(pool)) this.#deskOf(pool.id);
    for (const [id, desk] of this.#desks) {
      if (reserves(table.pool(id)) || desk.waiting + desk.holdings.held.size > 0) continue;
      this.#desks.delete(id);
      void desk.stop();
    }
  }

  #ask(worker: number, { id, pool, tier: name, session, candidates, more = false }: ReserveAsked): void {
    const { context, table } = this.#options;
    const answer = (result: ReserveResult) => this.#options.answer(worker, { id, pool, result });
    const settings = table.pool(pool);
    const tier = settings?.tiers?.find((each) => each.name === name);
    const [first] = candidates;
    if (this.#stopped) answer({ outcome: 'closed', why: 'stopping' });
    else if (settings === undefined || tier === undefined) answer({ outcome: 'closed', why: 'unknown' });
    else if (!reserves(settings) && first !== undefined)
      // The worker has not heard yet that nothing is reserved any more.
      answer({ outcome: 'granted', allocation: context.random.uuid(), backend: first });
    else {
      const shared = settings.reserve === 'session' && session !== undefined && session !== '';
      const ask: Ask = {
        worker,
        id,
        pool,
        tier,
        session: shared ? { id: session, tier: name } : undefined,
        candidates,
        more,
        over: false,
      };
      this.#asks.set(keyOf(worker, id), ask);
      this.#deskOf(pool).ask(ask);
    }
  }

  #withdraw(key: string): void {
    const ask = this.#asks.get(key);
    if (ask === undefined) return;
    this.#asks.delete(key);
    ask.over = true;
    this.#desks.get(ask.pool)?.leave((each) => each === ask);
  }

  #answer(ask: Ask, result: ReserveResult): void {
    if (ask.over) return;
    this.#asks.delete(keyOf(ask.worker, ask.id));
    this.#options.answer(ask.worker, { id: ask.id, pool: ask.pool, result });
  }

  #deskOf(pool: string): PoolDesk {
    const known = this.#desks.get(pool);
    if (known !== undefined) return known;
    const { context, facts } = this.#options;
    const { store, clock, random, instance: owner } = context;
    const desk = new PoolDesk(
      {
        pool,
        owner,
        store,
        clock,
        random,
        facts,
        backends: this.#backends,
        settings: () => this.#options.table.pool(pool),
      },
      (ask, result) => this.#answer(ask, result),
    );
    this.#desks.set(pool, desk);
    return desk;
  }

  #retell(): void {
    this.#each(({ holdings }) => holdings.facts.retell());
  }

  #reconcile(): void {
    if (this.#options.context.outbox.pending === 0) this.#each(({ holdings }) => holdings.reconcile());
  }

  #each(visit: (desk: PoolDesk) => void): void {
    for (const desk of this.#desks.values()) visit(desk);
  }
}

function keyOf(worker: number, id: number): string {
  return `${worker} ${id}`;
}

function reserves(pool: PoolSettings | undefined): boolean {
  return pool?.reserve !== undefined && pool.reserve !== 'none';
}
