/** Sliding means of several values that are sampled together, over the newest samples. */
export class MeanWindow {
  readonly #slots: number;
  #width = 0;
  #ring = new Float64Array(0);
  #count = 0;
  #next = 0;

  constructor(slots: number) {
    this.#slots = slots;
  }

  /** Takes one sample. Another number of values than before is another machine: the window starts anew. */
  add(values: readonly number[]): void {
    if (values.length !== this.#width) {
      this.#width = values.length;
      this.#ring = new Float64Array(this.#slots * values.length);
      this.#count = 0;
      this.#next = 0;
    }
    this.#ring.set(values, this.#next * this.#width);
    this.#next = (this.#next + 1) % this.#slots;
    this.#count = Math.min(this.#slots, this.#count + 1);
  }

  /** Means in the order of the values; empty before the first sample. */
  means(): number[] {
    const sums = Array.from({ length: this.#width }, () => 0);
    for (let at = 0; at < this.#count * this.#width; at++) sums[at % this.#width]! += this.#ring[at]!;
    return sums.map((sum) => sum / this.#count);
  }
}
