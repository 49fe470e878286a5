import { mix } from './hash.ts';
import type { Ask, Candidate, CandidatePool, Chooser, Measures } from './strategy.ts';

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
      if (step === 0) stride = strideOf(key, owners.length);
      place = (place + stride) % owners.length;
    }
    // Whoever has room was tried, or has too small a weight to own a place.
    return eligible.find((candidate) => !tried.includes(candidate));
  }

  /** Which share of the table each has, and in which order they were asked for the key. */
  measures(pool: CandidatePool<C>, tried: readonly C[], ask: Ask): ReadonlyMap<C, Measures> {
    const owners = this.#owners;
    if (owners.length === 0) return new Map();
    const places = new Map<C, number>();
    for (const owner of owners) {
      const candidate = this.#members[owner]!;
      places.set(candidate, (places.get(candidate) ?? 0) + 1);
    }
    const choice = this.pick(pool, tried, ask);
    const asked = new Map<C, number>();
    const stride = strideOf(ask.key, owners.length);
    for (let step = 0, place = ask.key % owners.length; step < owners.length; step++) {
      const candidate = this.#members[owners[place]!]!;
      if (!asked.has(candidate)) asked.set(candidate, asked.size + 1);
      if (candidate === choice) break;
      place = (place + stride) % owners.length;
    }
    return new Map(
      this.#members.map((candidate) => {
        const turn = asked.get(candidate);
        const tableShare = (places.get(candidate) ?? 0) / owners.length;
        return [candidate, turn === undefined ? { tableShare } : { tableShare, asked: turn }];
      }),
    );
  }
}

/** Odd and below the number of places, hence without a common divisor with it: it leads to all of them. */
function strideOf(key: number, places: number): number {
  return (mix(key ^ STRIDE_SEED) & (places - 2)) | 1;
}
