import type { BackendSlot, PoolTable } from '../routing-table.ts';
import { estimate } from './slot-load.ts';

/** How often `hear` is called while there is anything to hear. */
export const HEAR_MS = 100;
/** Time constant of the averages: what changes within this is old news when it arrives, and acting on it does harm. */
const AVERAGE_MS = 300;
/** The part of a new count in the average. */
const NEWS = 1 - Math.exp(-HEAR_MS / AVERAGE_MS);
/** Averages that have decayed to less than this are none. */
const NOTHING = 0.01;

/** What was heard of a backend, as averages, and what this worker had there when it heard last. */
interface Heard {
  others: number;
  own: number;
  ownBefore: number;
}

/**
 * Takes up how many requests other workers and gateways have under way. What they say is some 200 ms old, and all of
 * them hear the same: if everybody ran to the backend that was idle then, it would be the busiest one when they arrive.
 * So two things are done. Counts are averaged, so that only differences that last are acted on. And until the
 * averages show what the others have done meanwhile, they are thought to do as this worker does, in proportion to how much
 * they have under way: a request that begins here counts for as many, and each worker makes up for its own part of a
 * difference only. In simulations of 4 and of 16 gateways this spreads requests more evenly than to ignore the others, and
 * several times more evenly than to add up the counts as they come.
 */
export class Elsewhere {
  readonly #heard = new WeakMap<BackendSlot, Heard>();

  /** `inFlight`: requests under way elsewhere, by id of the backend; who is left out has none. */
  hear(pools: Iterable<PoolTable>, inFlight: ReadonlyMap<string, number>): void {
    for (const pool of pools) {
      if (pool.needsLoad && (inFlight.size > 0 || pool.echo > 0)) this.#hear(pool, inFlight);
      else if (pool.echo > 0) this.#forget(pool);
    }
  }

  #hear(pool: PoolTable, inFlight: ReadonlyMap<string, number>): void {
    let others = 0;
    let own = 0;
    for (const slot of pool.slots) {
      const heard = this.#of(slot, inFlight.get(slot.id) ?? 0);
      others += heard.others;
      own += heard.own;
    }
    if (others < NOTHING) {
      if (pool.echo > 0) this.#forget(pool);
      return;
    }
    pool.echo = others / Math.max(1, own);
    for (const slot of pool.slots) {
      const heard = this.#heard.get(slot)!;
      slot.base = heard.others - pool.echo * heard.own;
      estimate(slot);
    }
  }

  #of(slot: BackendSlot, others: number): Heard {
    let heard = this.#heard.get(slot);
    if (heard === undefined) {
      // As long as the averages say little, most of the others' part is what this worker has itself.
      heard = { others: 0, own: 0, ownBefore: slot.own };
      this.#heard.set(slot, heard);
    }
    heard.others += NEWS * (others - heard.others);
    // What others tell is about as old as what was under way here when they were heard last.
    heard.own += NEWS * (heard.ownBefore - heard.own);
    heard.ownBefore = slot.own;
    return heard;
  }

  #forget(pool: PoolTable): void {
    pool.echo = 0;
    for (const slot of pool.slots) {
      this.#heard.delete(slot);
      slot.base = 0;
      estimate(slot);
    }
  }
}
