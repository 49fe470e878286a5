import type { Ask } from '@usher/domain';
import type { BackendSlot, PoolTable } from '../routing-table.ts';

/** More candidates than this do not go into one step of the store. */
const CANDIDATES_MAX = 64;
/** So many are in the strategy's order; behind them comes who is least busy. */
const CHOSEN_MAX = 4;

type Choose = (pool: PoolTable, tried: readonly BackendSlot[], ask: Ask) => BackendSlot | undefined;

/**
 * Whom a request may be reserved on, best first. Those that the strategy leaves out for want of resources come last and
 * are not left out: what is known here of reservations is a little old, and whoever reserves knows better. `choose` is
 * the strategy's `pick`, or `peek`.
 */
export function ranked(
  pool: PoolTable,
  without: readonly BackendSlot[],
  ask: Ask,
  choose: Choose,
): BackendSlot[] {
  const { eligible } = pool;
  const order: BackendSlot[] = [];
  while (order.length < CHOSEN_MAX) {
    const next = choose(pool, [...without, ...order], ask);
    if (next === undefined) break;
    order.push(next);
    // Strategies that take turns would give everybody a turn for each request.
    if (pool.settings.strategy !== 'resource') break;
  }
  const others = eligible.filter((slot) => !without.includes(slot) && !order.includes(slot));
  others.sort((a, b) => a.inFlight / a.weight - b.inFlight / b.weight);
  return [...order, ...others].slice(0, CANDIDATES_MAX);
}
