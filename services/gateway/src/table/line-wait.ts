import type { Features } from '@usher/domain';
import type { BackendSlot, PoolTable } from '../routing-table.ts';
import type { Guest, LineExit, Place, Wait, Waiter } from '../waiting.ts';
import { whyNobody } from './pool-table.ts';

/** Of pools that were declared before there were queues. */
export const NO_QUEUE = { max: 0, timeoutMs: 0 };

/** One request's wait in line until a backend of its pool has room. */
export class LineWait implements Wait, Waiter {
  readonly brief = false;
  readonly dueMs: number;
  readonly features: Features;
  readonly #pool: PoolTable;
  readonly #guest: Guest;
  readonly #now: () => number;
  readonly #sinceMs: number;
  #place: Place | undefined;

  constructor(pool: PoolTable, features: Features, guest: Guest, now: () => number) {
    this.features = features;
    this.#pool = pool;
    this.#guest = guest;
    this.#now = now;
    this.#sinceMs = now();
    this.dueMs = this.#sinceMs + (pool.settings.queue ?? NO_QUEUE).timeoutMs;
  }

  begin(): void {
    const { line, eligible, settings } = this.#pool;
    if (eligible.length === 0) {
      this.turnedAway();
      return;
    }
    if (line === undefined) {
      // There are backends, and the strategy finds none that would do.
      this.#guest.onNoRoom('no_capacity', '');
      return;
    }
    this.#place = line.enter(this, (settings.queue ?? NO_QUEUE).max);
    if (this.#place === undefined) this.#guest.onNoRoom('overloaded', 'no backend has room');
    else line.serve();
  }

  leave(): void {
    this.#exit('left');
  }

  expire(): void {
    this.#exit('timeout');
    this.#guest.onNoRoom('overloaded', 'no backend had room in time');
  }

  admitted(slot: BackendSlot): void {
    this.#pool.line?.waited(this.#now() - this.#sinceMs);
    this.#guest.onRoom(slot);
  }

  turnedAway(): void {
    this.#guest.onNoRoom('no_backend', whyNobody(this.#pool));
  }

  #exit(how: LineExit): void {
    if (this.#place !== undefined) this.#pool.line?.leave(this.#place, how);
  }
}
