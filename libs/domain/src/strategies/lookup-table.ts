import { mix } from './hash.ts';
import type { Ask, Candidate, CandidatePool, Chooser } from './strategy.ts';

const STRIDE_SEED = 0x9e3779b9;

/** A backend as far as a table depends on it. */
export interface Owner {
  readonly id: string;
  readonly fullWeight: number;
}

/**
 * Deals the places of a table out: for each place the index of its owner. There is at least one owner, and the number of
 * places is the same each time: a power of two, or a prime above 65,536.
 */
export type Deal = (owners: readonly Owner[]) => Int32Array;

/**
 * Chooses by the request's key: its place in a table belongs to a backend. The table is dealt out among all backends of
 * the pool, eligible or not, so it changes only when one is added, removed or weighted anew. When the owner may not be
 * chosen, or was tried, the owner of the next place is, and so on around: who is down moves its own keys and no others. How
 * far away the next place is depends on the key, so that those keys are shared by all the rest. A slow start does not
 * change the table either: it would move keys to and fro.
 */
export class LookupTable<C extends Candidate> implements Chooser<C> {
  readonly #deal: Deal;
  readonly #loadFactor: number;
  #members: readonly C[] = [];
  #weights: readonly number[] = [];
  #owners: Int32Array = new Int32Array(0);

  /** `loadFactor`: how much of its part of the requests under way a backend may have before the next one is asked. */
  constructor(deal: Deal, loadFactor = Number.POSITIVE_INFINITY) {
    this.#deal = deal;
    this.#loadFactor = loadFactor;
  }

  update({ members }: CandidatePool<C>): void {
    const same =
      members.length === this.#members.length &&
      members.every((each, at) => each === this.#members[at] && each.fullWeight === this.#weights[at]);
    if (same) return;
    this.#members = members;
    this.#weights = members.map(({ fullWeight }) => fullWeight);
    // Where there is only one, nobody looks.
    this.#owners = members.length < 2 ? new Int32Array(0) : this.#deal(members);
  }

  pick(pool: CandidatePool<C>, tried: readonly C[], { key }: Ask): C | undefined {
    const { eligible } = pool;
    if (eligible.length < 2) return tried.includes(eligible[0]!) ? undefined : eligible[0];
    if (tried.length > 0 && eligible.every((candidate) => tried.includes(candidate))) return undefined;
    const bound = (this.#loadFactor * (pool.inFlight + 1)) / pool.totalWeight;
    const owners = this.#owners;
    let place = key % owners.length;
    for (let step = 0, stride = 0; step < owners.length; step++) {
      const candidate = this.#members[owners[place]!]!;
      if (candidate.open && candidate.inFlight < Math.ceil(bound * candidate.weight)) {
        if (tried.length === 0 || !tried.includes(candidate)) return candidate;
      }
      // Odd and below the number of places, hence without a common divisor: it leads to all of them.
      if (step === 0) stride = (mix(key ^ STRIDE_SEED) & (owners.length - 2)) | 1;
      place = (place + stride) % owners.length;
    }
    // Whoever has room was tried, or has too small a weight to own a place.
    return eligible.find((candidate) => !tried.includes(candidate));
  }
}
