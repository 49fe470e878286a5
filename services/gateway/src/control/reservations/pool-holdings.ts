import { type PoolSettings, RESERVE_IDLE_MS, type StoreStep } from '@usher/domain';
import type { Clock, GivenBack, Random, Restored, Session } from '@usher/ports';
import type { Facts } from '../facts.ts';
import type { Ask } from './ask.ts';
import type { BackendsSeen } from './backends-seen.ts';
import { ReservationCounts } from './counts.ts';
import { endUse, type Held, HeldAllocations } from './held-allocations.ts';
import { PoolFacts } from './pool-facts.ts';
import { LEASE_MS, type ReservationStore, StoreLink } from './store-link.ts';

/** How long an allocation for a request lasts in the store if the gateway lives and forgets it; those in use are renewed. */
const REQUEST_TTL_MS = 60_000;
/** Allocations in one call of the store, which does nothing else meanwhile. */
const IN_ONE_CALL_MAX = 250;
/** Expired allocations that are looked for in one call, and in how many calls at most. */
const SWEPT_MAX = 100;
const SWEEPS_MAX = 10;

export interface PoolOptions {
  readonly pool: string;
  /** This gateway. */
  readonly owner: string;
  readonly store: ReservationStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly facts: Facts;
  readonly backends: BackendsSeen;
  /** As they are now. */
  settings(): PoolSettings | undefined;
}

/** Whom the holdings tell. */
interface Changes {
  /** There may be more room than before. */
  room(): void;
  /** The store is away, or is not any more. */
  link(): void;
}

/** How an allocation came to be told. */
interface Told {
  /** It was told before, by this gateway or another one. */
  readonly again: boolean;
  /** The store had lost it, or never known of it. */
  readonly restored: boolean;
}

interface Ending {
  readonly held: Held;
  readonly cause: string;
}

/** What this gateway holds of one pool: keeps it alive in the store, gives it back, and tells the log. */
export class PoolHoldings {
  readonly counts = new ReservationCounts();
  readonly facts: PoolFacts;
  readonly held = new HeldAllocations();
  readonly link: StoreLink;
  /** What the store was asked for and has not answered about. */
  readonly underWay = new Set<string>();
  readonly #options: PoolOptions;
  readonly #on: Changes;
  /** To be given back at the end of this turn of the event loop, or before the next reservation. */
  #ending: Ending[] = [];
  /** What the log took for this gateway's when it was compared last, and it is not. */
  #strangers: ReadonlySet<string> | undefined;

  constructor(options: PoolOptions, on: Changes) {
    this.#options = options;
    this.#on = on;
    this.facts = new PoolFacts(options.pool, options.facts);
    this.link = new StoreLink({
      ...options,
      holdings: () => ({
        allocations: Array.from(this.held.all(), ({ allocation, backend, resources, session }) => ({
          allocation,
          backend,
          resources,
          session,
          ttlMs: this.ttlMs(session),
        })),
        underWay: [...this.underWay],
        gateways: options.backends.gateways(),
      }),
      onTold: (result) => this.#onTold(result),
      onChange: () => on.link(),
    });
    void this.link.tell();
  }

  /** How long an allocation lasts that nobody renews. */
  ttlMs(session: Session | undefined): number {
    if (session === undefined) return REQUEST_TTL_MS;
    return this.#options.settings()?.reserveIdleMs ?? RESERVE_IDLE_MS;
  }

  /** From now on it is this gateway's. */
  hold(
    { tier, session }: Ask,
    placed: Pick<Held, 'allocation' | 'backend' | 'resources' | 'capacity' | 'at' | 'uses'>,
    told: Told,
  ): Held {
    const nowMs = this.#options.clock.steady();
    const held = { ...placed, tier: tier.name, session, usedMs: nowMs, extendedMs: nowMs };
    this.held.add(held);
    this.#tell(held, told);
    return held;
  }

  /** It is nobody's from now on. */
  end(held: Held, cause: string): void {
    this.held.remove(held.allocation);
    if (this.#ending.push({ held, cause }) === 1) setImmediate(() => void this.giveBackNow());
  }

  /** Requests of a worker do not use these any more, each as often as it is named. */
  giveBack(worker: number, allocations: readonly string[]): void {
    const nowMs = this.#options.clock.steady();
    for (const allocation of allocations) {
      const held = this.held.get(allocation);
      if (held !== undefined && endUse(held, worker, nowMs) && held.session === undefined)
        this.end(held, 'done');
    }
  }

  /** A worker died, and with it all of its requests. */
  forgetWorker(worker: number): void {
    for (const held of this.held.all()) {
      if (!held.uses.delete(worker) || held.uses.size > 0) continue;
      held.usedMs = this.#options.clock.steady();
      if (held.session === undefined) this.end(held, 'the worker ended');
    }
  }

  /** Gives back what is meant. Requests that still run for it run without a reservation. */
  purge(isMeant: (held: Held) => boolean): void {
    for (const held of this.held.all()) if (isMeant(held)) this.end(held, 'purged');
  }

  /** Does not wait for the end of this turn. */
  async giveBackNow(): Promise<void> {
    const { pool, owner } = this.#options;
    const ending = this.#ending.splice(0);
    if (ending.length === 0) return;
    const given = new Map<string, StoreStep>();
    for (let from = 0; from < ending.length && this.link.reaches; from += IN_ONE_CALL_MAX) {
      const some = ending.slice(from, from + IN_ONE_CALL_MAX).map(({ held }) => held.allocation);
      const released = await this.link.call((store) => store.release(pool, owner, some));
      for (const { allocation, at } of released ?? []) given.set(allocation, at);
    }
    // A session's allocation that was not given back is another gateway's by now.
    const told = ending.filter(({ held }) => held.session === undefined || given.has(held.allocation));
    this.facts.released(
      told.map(({ held: { allocation, backend }, cause }) => ({
        allocation,
        backend,
        cause,
        at: given.get(allocation),
      })),
    );
    this.#on.room();
  }

  /** Keeps this gateway known to the store, and what is in use from expiring. */
  async renew(): Promise<void> {
    if (this.link.state !== 'open') return;
    const due = this.#due();
    const ofRequests = due.filter(({ session }) => session === undefined);
    const ofSessions = due.filter(({ session }) => session !== undefined);
    // Also without any: it keeps the gateway known.
    let isKnown = await this.#renew(ofRequests.slice(0, IN_ONE_CALL_MAX));
    for (const more of [ofRequests.slice(IN_ONE_CALL_MAX), ofSessions])
      for (let from = 0; from < more.length && isKnown; from += IN_ONE_CALL_MAX)
        isKnown = await this.#renew(more.slice(from, from + IN_ONE_CALL_MAX));
  }

  /** Gives back what has expired, whoever held it. */
  async sweep(): Promise<void> {
    const { pool } = this.#options;
    for (let calls = 0; calls < SWEEPS_MAX && this.link.state === 'open'; calls++) {
      const swept = await this.link.call((store) => store.sweep(pool, SWEPT_MAX));
      this.expired(swept ?? []);
      if (swept === undefined || swept.length < SWEPT_MAX) return;
    }
  }

  /** The store says what it swept. */
  expired(given: readonly GivenBack[]): void {
    if (given.length === 0) return;
    this.counts.expired += given.length;
    this.facts.expired(given);
    this.#drop(given.map(({ allocation }) => allocation));
    this.#on.room();
  }

  /** The store says where a session was before. */
  moved(from: GivenBack): void {
    this.held.remove(from.allocation);
    this.facts.released([{ ...from, cause: 'the session moved' }]);
  }

  /**
   * Has the log forget what it takes for this gateway's and is not: what an earlier life of the gateway held, or what another
   * one swept before this one could tell that it had it. To be called now and then when the log has heard everything: what
   * is strange twice in a row is no matter of time.
   */
  reconcile(): void {
    const before = this.#strangers;
    if (before === undefined || this.facts.untold > 0) return;
    this.#strangers = this.#forgetStrangers((allocation) => before.has(allocation));
  }

  /** Tells the log everything anew: it had taken this gateway for lost. */
  tellAgain(): void {
    for (const held of this.held.all()) this.#tell(held, { again: true, restored: false });
  }

  /** Gives back everything. */
  async stop(): Promise<void> {
    for (const held of this.held.all()) this.end(held, 'the gateway stops');
    await this.giveBackNow();
    this.link.close();
  }

  /** False when the rest need not be renewed. */
  async #renew(some: readonly Held[]): Promise<boolean> {
    const { pool, owner, clock } = this.#options;
    const nowMs = clock.steady();
    const allocations = some.map(({ allocation }) => allocation);
    const ttlMs = this.ttlMs(some[0]?.session);
    const renewal = { pool, owner, told: this.link.told, leaseMs: LEASE_MS, allocations, ttlMs };
    const answer = await this.link.call((store) => store.renew(renewal));
    if (answer?.outcome === 'unknown') await this.link.tell();
    if (answer?.outcome !== 'renewed') return false;
    for (const held of some) held.extendedMs = nowMs;
    this.#drop(answer.missing);
    return true;
  }

  /** What has to be renewed. What a session has not used for so long that it has expired is forgotten. */
  #due(): Held[] {
    const nowMs = this.#options.clock.steady();
    const due: Held[] = [];
    for (const held of this.held.all()) {
      const { session, uses, usedMs, extendedMs } = held;
      const ttlMs = this.ttlMs(session);
      const isUsed = uses.size > 0;
      if (isUsed ? nowMs - extendedMs >= ttlMs / 3 : usedMs > extendedMs) due.push(held);
      else if (!isUsed && nowMs - extendedMs > ttlMs) this.held.remove(held.allocation);
    }
    return due;
  }

  #onTold({ added, givenBack }: Restored): void {
    for (const { allocation, at } of added) {
      const held = this.held.get(allocation);
      if (held === undefined) continue;
      held.at = at;
      held.extendedMs = this.#options.clock.steady();
      this.#tell(held, { again: true, restored: true });
    }
    this.facts.released(givenBack.map((given) => ({ ...given, cause: 'the gateway does not hold it' })));
    // It came to this gateway while the store was being told.
    if (givenBack.some(({ allocation }) => this.held.get(allocation) !== undefined)) void this.link.tell();
    // Whatever else the log takes for this gateway's is of an earlier life.
    this.#strangers ??= this.#forgetStrangers(() => true);
  }

  /**
   * These were given back by the store, with others in their places perhaps: a session moved, or the gateway that had it
   * last is gone. Requests that still run for them run without a reservation.
   */
  #drop(allocations: readonly string[]): void {
    for (const allocation of allocations) this.held.remove(allocation);
  }

  /** Answers with those that were strange and are not to be forgotten yet. */
  #forgetStrangers(isOver: (allocation: string) => boolean): ReadonlySet<string> {
    const { pool, backends } = this.#options;
    const ending = new Set(this.#ending.map(({ held }) => held.allocation));
    const strangers = [...backends.mine(pool)].filter(
      ({ allocation }) =>
        this.held.get(allocation) === undefined && !this.underWay.has(allocation) && !ending.has(allocation),
    );
    this.facts.released(
      strangers
        .filter(({ allocation }) => isOver(allocation))
        .map((stranger) => ({ ...stranger, cause: 'the gateway does not hold it' })),
    );
    return new Set(strangers.map(({ allocation }) => allocation).filter((allocation) => !isOver(allocation)));
  }

  #tell(held: Held, told: Told): void {
    const { owner, clock } = this.#options;
    const expiresAtMs = Math.round(clock.now() + this.ttlMs(held.session));
    this.facts.reserved(held, { owner, expiresAtMs, ...told });
  }
}
