import { breakerAdmits } from '@usher/domain';
import type { BackendSlot, PoolTable } from '../routing-table.ts';
import { isInService } from './ejections.ts';
import type { PoolNews } from './pool-news.ts';

/** A smaller pool cannot tell a bad view from bad backends: with one of two down, half of it would be none. */
const PANIC_BACKENDS_MIN = 3;

/** What a pool's panic goes by. */
export interface PanicCount {
  /** Eligible, or being tried. */
  readonly eligible: number;
  /** In service, and known to be well or not. */
  readonly backends: number;
}

/** Whose health nobody knows yet is not counted: a pool that starts, or grows, has no reason to panic. */
export function panicCount({ slots }: PoolTable): PanicCount {
  let eligible = 0;
  let backends = 0;
  for (const slot of slots) {
    if (!isInService(slot) || slot.barred === 'unknown') continue;
    backends += 1;
    if (slot.eligible && slot.breaker.phase !== 'open' && !slot.ejected) eligible += 1;
  }
  return { eligible, backends };
}

/** Whether less of the pool is eligible than its settings want for trusting what is known of the rest. */
export function isPanicking(pool: PoolTable): boolean {
  const { panic = 0, failOpen = true } = pool.settings;
  if (panic === 0 || !failOpen || pool.slots.length < PANIC_BACKENDS_MIN || hasStandIns(pool)) return false;
  const { eligible, backends } = panicCount(pool);
  return backends >= PANIC_BACKENDS_MIN && eligible < panic * backends;
}

/** Then there is somebody for the case that the others are down, and no need to try those all the same. */
function hasStandIns({ slots }: PoolTable): boolean {
  return slots.some(({ priority }) => priority !== slots[0]?.priority);
}

/**
 * Whether it gets requests in a panic: all in service do, but whom this worker itself cannot even connect to, as long as there is
 * anybody else. A panic mistrusts what probes and other gateways say, and answers, which depend on the load; that nobody
 * listens is certain, and a request that is sent there is lost for nothing.
 */
export function servesInPanic(slot: BackendSlot): boolean {
  return !(slot.breaker.unreachable && !breakerAdmits(slot.breaker, slot.trialLimit));
}

/** Tells when panics begin and end; to be asked a few times a second, so that one that is over at once is none. */
export class PanicWatch {
  readonly #told = new Set<string>();

  look(pools: Iterable<PoolTable>): PoolNews[] {
    const news: PoolNews[] = [];
    for (const pool of pools) {
      if (pool.panic === this.#told.has(pool.id)) continue;
      if (pool.panic) this.#told.add(pool.id);
      else this.#told.delete(pool.id);
      news.push({ kind: 'panic', pool: pool.id, on: pool.panic, ...panicCount(pool) });
    }
    return news;
  }
}
