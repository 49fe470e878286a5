import { takeFrom, untilNext } from '@usher/domain';
import type { Clock, RateBucket, RateBuckets, RateTaken } from '@usher/ports';

/** Beyond this one that little was taken from is forgotten for each new one, which makes it full. */
const BUCKETS_MAX = 200_000;
/** So many are looked at to find it. */
const LOOKS_MAX = 8;

/** Rate limits of a single process. A bucket that is full is not kept. */
export class EmbeddedRates implements RateBuckets {
  readonly #clock: Clock;
  readonly #max: number;
  /** When each is full again, by id. */
  readonly #fullAtMs = new Map<string, number>();
  /** Goes through them from the first and is never begun anew: that would pass over all that was deleted before, each time. */
  #oldest = this.#fullAtMs.entries();

  constructor(clock: Clock, max: number = BUCKETS_MAX) {
    this.#clock = clock;
    this.#max = max;
  }

  async take({ id, intervalMs, burst }: RateBucket, wanted: number): Promise<RateTaken> {
    const nowMs = this.#clock.steady();
    const bucket = { interval: intervalMs, burst };
    const { taken, fullAt, left } = takeFrom(bucket, this.#fullAtMs.get(id) ?? 0, wanted, nowMs);
    if (taken > 0) this.#put(id, fullAt);
    return { taken, left, nextMs: untilNext(bucket, fullAt, nowMs) };
  }

  async give({ id, intervalMs }: RateBucket, unused: number): Promise<void> {
    const fullAt = this.#fullAtMs.get(id);
    if (fullAt !== undefined) this.#put(id, fullAt - unused * intervalMs);
  }

  dropFull(): void {
    const nowMs = this.#clock.steady();
    for (const [id, fullAtMs] of this.#fullAtMs) if (fullAtMs <= nowMs) this.#fullAtMs.delete(id);
  }

  #put(id: string, fullAtMs: number): void {
    this.#fullAtMs.delete(id);
    this.#fullAtMs.set(id, fullAtMs);
    if (this.#fullAtMs.size > this.#max) this.#dropOne(id, fullAtMs);
  }

  /** However many come that little is taken from, one that much was taken from outlives them. */
  #dropOne(newest: string, newestFullAtMs: number): void {
    for (let looks = 0; looks < LOOKS_MAX; looks++) {
      const [id, fullAtMs] = this.#nextOldest();
      this.#fullAtMs.delete(id);
      if (fullAtMs <= newestFullAtMs) return;
      this.#fullAtMs.set(id, fullAtMs);
    }
    this.#fullAtMs.delete(newest);
  }

  #nextOldest(): [id: string, fullAtMs: number] {
    for (;;) {
      const next = this.#oldest.next();
      if (next.done !== true) return next.value;
      this.#oldest = this.#fullAtMs.entries();
    }
  }
}
