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
  const order: BackendSlot[] = [];
  while (order.length < CHOSEN_MAX) {
    const next = choose(pool, [...without, ...order], ask);
    if (next === undefined) break;
    order.push(next);
    // Strategies that take turns would give everybody a turn for each request.
    if (pool.settings.strategy !== 'resource') break;
  }
  const others = leastBusy(pool.eligible, new Set([...without, ...order]), CANDIDATES_MAX - order.length);
  return [...order, ...others];
}

/** Up to `max` slots, the least busy first. Looks at each once: to sort all of a large pool would take milliseconds. */
function leastBusy(
  slots: readonly BackendSlot[],
  without: ReadonlySet<BackendSlot>,
  max: number,
): readonly BackendSlot[] {
  const found: BackendSlot[] = [];
  const loads: number[] = [];
  for (const slot of slots) {
    const load = slot.inFlight / slot.weight;
    const isFull = found.length === max;
    if ((isFull && load >= loads[max - 1]!) || without.has(slot)) continue;
    // Behind those that are as busy, so that equals stay in their order; the last one gives way.
    let at = isFull ? max - 1 : found.length;
    for (; at > 0 && loads[at - 1]! > load; at--) {
      found[at] = found[at - 1]!;
      loads[at] = loads[at - 1]!;
    }
    found[at] = slot;
    loads[at] = load;
  }
  return found;
}
