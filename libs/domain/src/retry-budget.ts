const BUCKETS = 10;
const BUCKET_MS = 1_000;
/** Retries that a quiet pool may always make within the window: a share of few requests would be none. */
export const RETRIES_MIN = 3;

/**
 * Bounds the retries of a pool to a share of its recent requests, so that a pool in trouble is not buried under its own
 * retries. The window slides over ten buckets of one second each. Nothing is allocated after construction.
 */
export class RetryBudget {
  readonly #attempts = new Uint32Array(BUCKETS);
  readonly #retries = new Uint32Array(BUCKETS);
  #attemptsInWindow = 0;
  #retriesInWindow = 0;
  /** Number of the newest bucket's second. */
  #second = 0;

  /** Counts an attempt that has ended, be it a request's first or a retry. */
  noteAttempt(nowMs: number): void {
    this.#attempts[this.#slide(nowMs)]! += 1;
    this.#attemptsInWindow += 1;
  }

  /** Takes one retry if the window holds fewer than the larger of `ratio` × its requests and a minimum of three. */
  take(ratio: number, nowMs: number): boolean {
    const bucket = this.#slide(nowMs);
    // A retry is no reason for another one.
    const requests = this.#attemptsInWindow - this.#retriesInWindow;
    if (this.#retriesInWindow + 1 > Math.max(RETRIES_MIN, ratio * requests)) return false;
    this.#retries[bucket]! += 1;
    this.#retriesInWindow += 1;
    return true;
  }

  /** Forgets the buckets that have left the window; answers with the bucket of now. A clock that stepped back counts as standing still. */
  #slide(nowMs: number): number {
    const second = Math.max(this.#second, Math.floor(nowMs / BUCKET_MS));
    const passed = Math.min(BUCKETS, second - this.#second);
    for (let step = 0; step < passed; step++) {
      const bucket = (second - step) % BUCKETS;
      this.#attemptsInWindow -= this.#attempts[bucket]!;
      this.#retriesInWindow -= this.#retries[bucket]!;
      this.#attempts[bucket] = 0;
      this.#retries[bucket] = 0;
    }
    this.#second = second;
    return second % BUCKETS;
  }
}
