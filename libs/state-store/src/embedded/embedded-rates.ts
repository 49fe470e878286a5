import { takeFrom, untilNext } from '@usher/domain';
import type { Clock, RateBucket, RateBuckets, RateTaken } from '@usher/ports';

/** Beyond this, of the two that were taken from longest ago the one that has more left is forgotten, which makes it full. */
const BUCKETS_MAX = 200_000;

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
    const nowMs = this.#clock.now();
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
    const nowMs = this.#clock.now();
    for (const [id, fullAtMs] of this.#fullAtMs) if (fullAtMs <= nowMs) this.#fullAtMs.delete(id);
  }

  #put(id: string, fullAtMs: number): void {
    this.#fullAtMs.delete(id);
    this.#fullAtMs.set(id, fullAtMs);
    if (this.#fullAtMs.size > this.#max) this.#dropOne();
  }

  /** However many come that were asked for little, one that was asked for much outlives them. */
  #dropOne(): void {
    const [one, other] = [this.#nextOldest(), this.#nextOldest()];
    if (one === undefined) return;
    if (other === undefined || one[0] === other[0]) {
      this.#fullAtMs.delete(one[0]);
      return;
    }
    const [less, more] = one[1] <= other[1] ? [one, other] : [other, one];
    this.#fullAtMs.delete(less[0]);
    this.#fullAtMs.delete(more[0]);
    this.#fullAtMs.set(more[0], more[1]);
  }

  #nextOldest(): [id: string, fullAtMs: number] | undefined {
    let next = this.#oldest.next();
    if (next.done === true) {
      this.#oldest = this.#fullAtMs.entries();
      next = this.#oldest.next();
    }
    return next.done === true ? undefined : next.value;
  }
}
