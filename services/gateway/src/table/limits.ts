import type { Ask, Features } from '@usher/domain';
import type { BackendSlot, PoolTable } from '../routing-table.ts';
import { BackendLimit } from './backend-limit.ts';
import type { RowLimit } from './row-limit.ts';
import { WaitingLine } from './waiting-line.ts';

/** Whether it has as many requests under way as it may. */
export const isFull = ({ limit }: BackendSlot): boolean => limit?.full === true;

/** Chooses by the pool's strategy among those that have room. */
export function chooseWithRoom(
  pool: PoolTable,
  tried: readonly BackendSlot[],
  ask: Ask,
): BackendSlot | undefined {
  const full = pool.eligible.filter(isFull);
  return pool.chooser.pick(pool, full.length === 0 ? tried : [...tried, ...full], ask);
}

/** Gives a slot the limit of its row. What is under way already counts from now on, or not any more. */
export function setLimit(slot: BackendSlot, row: RowLimit | undefined, worker: number): void {
  const { limit, own } = slot;
  if (limit !== undefined && row !== undefined && limit.shared === row.cells) {
    limit.set(row);
    return;
  }
  limit?.adjust(-own);
  slot.limit = row === undefined ? undefined : new BackendLimit(row, worker);
  slot.limit?.adjust(own);
}

/** Gives a pool its line, unless it has one. `admit` begins a request on a backend that has room. */
export function openLine(
  pool: PoolTable,
  { line }: RowLimit,
  worker: number,
  admit: (features: Features) => BackendSlot | undefined,
): void {
  pool.line ??= new WaitingLine(line, worker, {
    admit,
    hasRoom: () => pool.eligible.some((slot) => !isFull(slot)),
    hasBackends: () => pool.eligible.length > 0,
  });
}
