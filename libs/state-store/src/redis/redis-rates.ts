import type { RateBucket, RateBuckets, RateTaken } from '@usher/ports';
import { KEY_PREFIX } from './keys.ts';
import { GIVE_RATE, TAKE_RATE } from './rate-scripts.ts';
import type { RunScript } from './run-script.ts';

const US_PER_MS = 1_000;

/** Rate limits on Redis, a key for each bucket that is not full. */
export class RedisRates implements RateBuckets {
  readonly #run: RunScript;

  constructor(run: RunScript) {
    this.#run = run;
  }

  async take({ id, intervalMs, burst }: RateBucket, wanted: number): Promise<RateTaken> {
    const args = [intervalMs * US_PER_MS, burst, wanted];
    const [taken, left, nextUs] = (await this.#run(TAKE_RATE, [keyOf(id)], args)) as number[];
    return { taken: taken ?? 0, left: left ?? 0, nextMs: (nextUs ?? 0) / US_PER_MS };
  }

  async give({ id, intervalMs }: RateBucket, unused: number): Promise<void> {
    await this.#run(GIVE_RATE, [keyOf(id)], [intervalMs * US_PER_MS, unused]);
  }
}

/** Spread over a cluster's nodes: no hash tag. */
function keyOf(id: string): string {
  return `${KEY_PREFIX}rate:${id}`;
}
