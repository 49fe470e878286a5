import type { Ask, FastRandom, Features, SpherePoint, Uniform } from '@usher/domain';
import type { BackendSlot, Guest, PoolTable, Wait } from '../routing-table.ts';
import { type ExplainedPool, explainPool, hasRoomFor } from './explain-pool.ts';
import { chooseWithRoom } from './limits.ts';
import { LineWait } from './line-wait.ts';
import { ranked } from './ranked.ts';
import type { ReservationDesk } from './reservation-desk.ts';
import { ReservationWait } from './reservation-wait.ts';

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
    const ask = this.#asking(features);
    if (pool.line === undefined) return pool.chooser.pick(pool, tried, ask);
    return pool.line.busy ? undefined : chooseWithRoom(pool, tried, ask);
  }

  /** Begins the request that is next in a pool's line on a backend that has room. */
  admit(pool: PoolTable, features: Features): BackendSlot | undefined {
    for (;;) {
      const slot = chooseWithRoom(pool, [], this.#asking(features));
      if (slot === undefined || this.#tools.begin(slot)) return slot;
    }
  }

  /** See `RoutingTable.wait`. */
  wait(pool: PoolTable, tried: readonly BackendSlot[], features: Features, guest: Guest): Wait {
    const { now, desk } = this.#tools;
    if (!pool.reserves) return new LineWait(pool, features, guest, now);
    return new ReservationWait(pool, tried, features, guest, {
      now,
      desk,
      rank: (without) => ranked(pool, without, this.#asking(features), takeTurn),
      begin: (slot) => this.#tools.begin(slot),
    });
  }

  /** What would become of a first attempt now, and why. Nothing changes by it. */
  explain(pool: PoolTable, features: Features, request: { readonly path: string }): ExplainedPool {
    return explainPool(pool, features, request, this.#tools.random);
  }

  /** Whom a request with these features would be begun on. It takes its turn, and begins and reserves nothing. */
  decide(pool: PoolTable, features: Features): BackendSlot | undefined {
    if (!pool.reserves) return this.pick(pool, [], features);
    const order = ranked(pool, [], this.#asking(features), takeTurn);
    return order.find((slot) => hasRoomFor(slot, features));
  }

  #asking({ key, tier, from }: Features): Ask {
    const ask = this.#ask;
    ask.key = key;
    ask.tier = tier;
    ask.from = from;
    return ask;
  }
}
