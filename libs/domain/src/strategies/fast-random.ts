import type { Uniform } from './strategy.ts';

/**
 * Chance for decisions: the xorshift128 generator (Marsaglia 2003), 128 bits of state, a few nanoseconds a draw, no
 * allocation. Equal seeds give equal sequences. Not for secrets.
 */
export class FastRandom implements Uniform {
  readonly #state = new Uint32Array(4);

  /** The seed is four draws from `source`, so that many generators of one source differ. */
  constructor(source: Uniform) {
    for (let index = 0; index < 4; index++) this.#state[index] = Math.floor(source.next() * 2 ** 32);
    // All zero is the one state that the generator never leaves.
    if (this.#state.every((word) => word === 0)) this.#state[0] = 1;
  }

  /** Four draws from which another generator goes on as this one does. */
  get seed(): number[] {
    return Array.from(this.#state, (word) => word / 2 ** 32);
  }

  /** A generator from four such draws. */
  static from(seed: readonly number[]): FastRandom {
    const draws = seed.values();
    return new FastRandom({ next: () => draws.next().value ?? 0 });
  }

  next(): number {
    const state = this.#state;
    let mixed = state[3]!;
    const first = state[0]!;
    state[3] = state[2]!;
    state[2] = state[1]!;
    state[1] = first;
    mixed ^= mixed << 11;
    mixed ^= mixed >>> 8;
    state[0] = mixed ^ first ^ (first >>> 19);
    return state[0] / 2 ** 32;
  }
}
