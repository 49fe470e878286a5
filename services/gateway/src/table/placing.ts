import type { Ask, FastRandom, Features, SpherePoint, Uniform } from '@usher/domain';
import type { BackendSlot, PoolTable } from '../routing-table.ts';
import { type Visit, visitOf } from '../sticky/sticky.ts';
import type { Guest, Wait } from '../waiting.ts';
import { type ExplainedPool, explainPool, firstWithRoom } from './explain-pool.ts';
import { chooseWithRoom } from './limits.ts';
import { LineWait } from './line-wait.ts';
import { ranked } from './ranked.ts';
import type { ReservationDesk } from './reservation-desk.ts';
import { ReservationWait } from './reservation-wait.ts';
import { SessionWait } from './session-wait.ts';

const NONE_TRIED: readonly BackendSlot[] = [];

/** What placing takes beside the pools. */
export interface PlacingTools {
  readonly random: FastRandom;
  readonly now: () => number;
  readonly desk: ReservationDesk;
  /** Counts a request as begun; false when the backend has reached its limit. */
  begin(slot: BackendSlot): boolean;
}

function takeTurn(pool: PoolTable, tried: readonly BackendSlot[], ask: Ask): BackendSlot | undefined {
  return pool.chooser.pick(pool, tried, ask);
}

/** Finds backends for requests, at once or by having them wait. */
export class Placing {
  readonly #tools: PlacingTools;
  /** Of the pick under way, so that none makes a new one. */
  readonly #ask: { key: number; tier: number; from: SpherePoint | undefined; readonly random: Uniform };

  constructor(tools: PlacingTools) {
    this.#tools = tools;
    this.#ask = { key: 0, tier: 0, from: undefined, random: tools.random };
  }

  /** See `RoutingTable.pick`. */
  pick(pool: PoolTable, tried: readonly BackendSlot[], features: Features): BackendSlot | undefined {
    if (pool.reserves) return undefined;
    const visit = pool.sticky === undefined ? undefined : visitOf(features);
    return visit === undefined
      ? this.#choose(pool, tried, features)
      : this.#follow(visit, pool, tried, features);
  }

  /** Begins the request that is next in a pool's line on a backend that has room. */
  admit(pool: PoolTable, features: Features): BackendSlot | undefined {
    for (;;) {
      const slot =
        visitOf(features)?.preferred(NONE_TRIED) ?? chooseWithRoom(pool, NONE_TRIED, this.#asking(features));
      if (slot === undefined || this.#tools.begin(slot)) return slot;
    }
  }

  /** See `RoutingTable.wait`. */
  wait(pool: PoolTable, tried: readonly BackendSlot[], features: Features, guest: Guest): Wait {
    const { now } = this.#tools;
    const { reserves } = pool;
    const next = reserves
      ? this.#reserve(pool, tried, features, guest)
      : new LineWait(pool, features, guest, now);
    const question = tried.length > 0 ? undefined : visitOf(features)?.question;
    if (question === undefined) return next;
    const choose = () => this.#choose(pool, tried, features);
    // While others wait for room nobody goes past them.
    const enter = (slot: BackendSlot) => pool.line?.busy !== true && this.#tools.begin(slot);
    return new SessionWait(question, guest, { now, reserves, next, choose, begin: enter });
  }

  /** By the strategy. */
  #choose(pool: PoolTable, tried: readonly BackendSlot[], features: Features): BackendSlot | undefined {
    const ask = this.#asking(features);
    if (pool.line === undefined) return pool.chooser.pick(pool, tried, ask);
    return pool.line.busy ? undefined : chooseWithRoom(pool, tried, ask);
  }

  /** To where the session is, or else by the strategy, unless the store has to be asked first. */
  #follow(
    visit: Visit,
    pool: PoolTable,
    tried: readonly BackendSlot[],
    features: Features,
  ): BackendSlot | undefined {
    if (pool.line?.busy === true) return undefined;
    const slot = visit.preferred(tried);
    if (slot !== undefined) return slot;
    if (tried.length === 0 && visit.question !== undefined) return undefined;
    return this.#choose(pool, tried, features);
  }

  #reserve(pool: PoolTable, tried: readonly BackendSlot[], features: Features, guest: Guest): Wait {
    const { now, desk } = this.#tools;
    const visit = visitOf(features);
    return new ReservationWait(pool, tried, features, guest, {
      now,
      desk,
      session: pool.settings.reserve === 'session' ? visit?.session : undefined,
      rank: (without) => {
        const first = visit?.preferred(without);
        const others = ranked(pool, without, this.#asking(features), takeTurn);
        return first === undefined ? others : [first, ...others.filter((slot) => slot !== first)];
      },
      begin: (slot) => this.#tools.begin(slot),
    });
  }

  /** Chance as the next decision finds it. */
  get random(): FastRandom {
    return this.#tools.random;
  }

  /** What would become of a first attempt now, and why, with chance as it would be. Nothing changes by it. */
  explain(
    pool: PoolTable,
    features: Features,
    request: { readonly path: string },
    random = this.#tools.random,
  ): ExplainedPool {
    return explainPool(pool, features, request, random);
  }

  /** Whom a request with these features would be begun on. It takes its turn, and begins and reserves nothing. */
  decide(pool: PoolTable, features: Features): BackendSlot | undefined {
    if (pool.reserves)
      return firstWithRoom(pool, features, ranked(pool, [], this.#asking(features), takeTurn));
    const seat = pool.line?.busy === true ? undefined : visitOf(features)?.seen().slot;
    return seat ?? this.#choose(pool, [], features);
  }

  #asking({ key, tier, from }: Features): Ask {
    const ask = this.#ask;
    ask.key = key;
    ask.tier = tier;
    ask.from = from;
    return ask;
  }
}
