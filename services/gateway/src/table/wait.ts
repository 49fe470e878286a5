import type { BackendSlot, LineExit, Place, PoolTable, Waiter } from '../routing-table.ts';

/** Of pools that were declared before there were queues. */
export const NO_QUEUE = { max: 0, timeoutMs: 0 };

/** A request that found no backend to begin on. */
export interface Guest {
  /** A backend has room now, and the request was begun on it. */
  onRoom(slot: BackendSlot): void;
  onNoRoom(code: 'no_backend' | 'overloaded', detail: string): void;
}

/** One request's wait until a backend of its pool has room. Tells the guest exactly once how it ended, unless that leaves. */
export class Wait implements Waiter {
  /** When `expire` is to be called. */
  readonly dueMs: number;
  readonly key: number;
  readonly #pool: PoolTable;
  readonly #guest: Guest;
  readonly #now: () => number;
  readonly #sinceMs: number;
  #place: Place | undefined;

  /** `key`: see `RoutingTable.pick`. */
  constructor(pool: PoolTable, guest: Guest, now: () => number, key: number) {
    this.key = key;
    this.#pool = pool;
    this.#guest = guest;
    this.#now = now;
    this.#sinceMs = now();
    this.dueMs = this.#sinceMs + (pool.settings.queue ?? NO_QUEUE).timeoutMs;
  }

  /** Takes a place in the line. The guest may hear at once that there is room meanwhile, or nothing to wait for. */
  begin(): void {
    const { line, eligible, settings } = this.#pool;
    if (line === undefined || eligible.length === 0) {
      this.turnedAway();
      return;
    }
    this.#place = line.enter(this, (settings.queue ?? NO_QUEUE).max);
    if (this.#place === undefined) this.#guest.onNoRoom('overloaded', 'no backend has room');
    else line.serve();
  }

  /** The guest is gone. */
  leave(): void {
    this.#exit('left');
  }

  /** The time is over. */
  expire(): void {
    this.#exit('timeout');
    this.#guest.onNoRoom('overloaded', 'no backend had room in time');
  }

  admitted(slot: BackendSlot): void {
    this.#pool.line?.waited(this.#now() - this.#sinceMs);
    this.#guest.onRoom(slot);
  }

  turnedAway(): void {
    this.#guest.onNoRoom('no_backend', '');
  }

  #exit(how: LineExit): void {
    if (this.#place !== undefined) this.#pool.line?.leave(this.#place, how);
  }
}
