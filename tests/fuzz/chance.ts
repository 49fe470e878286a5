/** Chance that repeats: equal seeds give equal sequences. The mulberry32 generator behind a mix of the seed. */
export class Chance {
  private state: number;

  constructor(seed: number) {
    // Neighbouring seeds are what a run uses; without this their first values would be alike.
    this.state = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) >>> 0;
    this.word();
  }

  /** A whole number from 0 to `count - 1`. */
  below(count: number): number {
    return Math.floor((this.word() / 2 ** 32) * count);
  }

  oneIn(count: number): boolean {
    return this.below(count) === 0;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  /** One of `usual`, or once in `every` one of `odd`. */
  mostly<T>(usual: readonly T[], every: number, odd: readonly T[]): T {
    return this.pick(this.oneIn(every) ? odd : usual);
  }

  /** `make` so many times, from 0 up to `most`. */
  upTo(most: number, make: () => string): string {
    let text = '';
    for (let left = this.below(most + 1); left > 0; left--) text += make();
    return text;
  }

  private word(): number {
    this.state = (this.state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }
}
