import type { EventEmitter } from 'node:events';
import type { BackendSlot, PoolTable, RoutingTable } from '../routing-table.ts';
import { type Guest, Wait } from '../table/wait.ts';

/** Begins a request on a backend, at once or when one has room. A guest whose `client` closes before that hears nothing. */
export function waitForRoom(
  table: RoutingTable,
  pool: PoolTable,
  client: EventEmitter,
  now: () => number,
  guest: Guest,
): void {
  const slot = table.pick(pool, []);
  if (slot !== undefined && table.begin(slot)) {
    guest.onRoom(slot);
    return;
  }
  const onClose = (): void => {
    clearTimeout(late);
    wait.leave();
  };
  const settle = (): void => {
    clearTimeout(late);
    client.off('close', onClose);
  };
  const wait = new Wait(
    pool,
    {
      onRoom(room) {
        settle();
        guest.onRoom(room);
      },
      onNoRoom(code, detail) {
        settle();
        guest.onNoRoom(code, detail);
      },
    },
    now,
  );
  const late = setTimeout(() => wait.expire(), wait.dueMs - now());
  client.once('close', onClose);
  wait.begin();
}

/** Begins another attempt on a backend that is not among `tried`; undefined when none has room or the budget is used up. */
export function retryOn(
  table: RoutingTable,
  pool: PoolTable,
  tried: readonly BackendSlot[],
  nowMs: number,
): BackendSlot | undefined {
  const slot = table.pick(pool, tried);
  if (slot === undefined || !table.takeRetry(pool, nowMs)) return undefined;
  return table.begin(slot) ? slot : undefined;
}
