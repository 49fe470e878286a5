import type { Candidate } from './strategy.ts';

/** When the next turns of all of them are. */
export function turnsOf(candidates: readonly Candidate[]): number[] {
  return candidates.map(({ turn }) => turn);
}

/** Gives all of them their turns; whoever ranks them has to do so anew. */
export function setTurns(candidates: readonly Candidate[], turns: readonly number[]): void {
  for (const [index, candidate] of candidates.entries()) candidate.turn = turns[index] ?? 0;
}

/**
 * Finds who has the smallest rank, kept as a binary heap, so that a change costs the logarithm of the number of backends
 * and a look nothing. Among those that tie it is the turn of the one who has had least for its weight: each choice puts
 * its next turn off by 1 / weight. Who has not been chosen for long does not catch up on the turns it let pass.
 */
export class LeastFirst<C extends Candidate> {
  #heap: C[] = [];
  /** The turn of whoever was chosen last. */
  #time = 0;

  get first(): C | undefined {
    return this.#heap[0];
  }

  /** Sets who is in it; their ranks are up to date. */
  set(candidates: readonly C[]): void {
    const known = new Set(this.#heap);
    for (const candidate of known) candidate.place = -1;
    this.#heap = [...candidates];
    for (const [place, candidate] of candidates.entries()) {
      candidate.place = place;
      if (!known.has(candidate)) candidate.turn = this.#time + candidate.phase / candidate.weight;
    }
    for (let place = (candidates.length >> 1) - 1; place >= 0; place--) this.#sink(candidates[place]!);
  }

  has(candidate: C): boolean {
    return this.#heap[candidate.place] === candidate;
  }

  /** The first of those that are not in `tried`. */
  firstUntried(tried: readonly C[]): C | undefined {
    let best: C | undefined;
    for (const candidate of this.#heap) {
      if (tried.includes(candidate)) continue;
      if (best === undefined || isBefore(candidate, best)) best = candidate;
    }
    return best;
  }

  /** It was chosen. */
  charge(candidate: C): void {
    this.#time = Math.max(this.#time, candidate.turn);
    candidate.turn = this.#time + 1 / candidate.weight;
    this.#sink(candidate);
  }

  rerank(candidate: C, rank: number): void {
    const falls = rank > candidate.rank;
    candidate.rank = rank;
    if (falls) this.#sink(candidate);
    else this.#rise(candidate);
  }

  #sink(candidate: C): void {
    const heap = this.#heap;
    let { place } = candidate;
    for (let child = 2 * place + 1; child < heap.length; child = 2 * place + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      const other = heap[child]!;
      if (!isBefore(other, candidate)) break;
      heap[place] = other;
      other.place = place;
      place = child;
    }
    heap[place] = candidate;
    candidate.place = place;
  }

  #rise(candidate: C): void {
    const heap = this.#heap;
    let { place } = candidate;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const other = heap[parent]!;
      if (!isBefore(candidate, other)) break;
      heap[place] = other;
      other.place = place;
      place = parent;
    }
    heap[place] = candidate;
    candidate.place = place;
  }
}

function isBefore<C extends Candidate>(a: C, b: C): boolean {
  if (a.rank !== b.rank) return a.rank < b.rank;
  if (a.turn !== b.turn) return a.turn < b.turn;
  return a.order < b.order;
}
