import type { EventEmitter } from 'node:events';
import type { AttemptOutcome, BackendSlot, PoolTable, RoutingTable } from '../routing-table.ts';
import { answerWith, answerWithout } from '../table/slot-load.ts';
import { type Guest, Wait } from '../table/wait.ts';

/** Begins a request on a backend, at once or when one has room. A guest whose `client` closes before that hears nothing. */
export function waitForRoom(
  table: RoutingTable,
  pool: PoolTable,
  client: EventEmitter,
  now: () => number,
  key: number,
  guest: Guest,
): void {
  const slot = table.pick(pool, [], key);
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
    key,
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
  key: number,
  nowMs: number,
): BackendSlot | undefined {
  const slot = table.pick(pool, tried, key);
  if (slot === undefined || !table.takeRetry(pool, nowMs)) return undefined;
  return table.begin(slot) ? slot : undefined;
}

/** One attempt on a backend, from now on. Tells the table of its answer and its end, each once. */
export class Attempt {
  readonly #table: RoutingTable;
  readonly #pool: PoolTable;
  readonly #slot: BackendSlot;
  readonly #now: () => number;
  readonly #startedMs: number;
  #answered = false;
  #ended = false;

  constructor(table: RoutingTable, pool: PoolTable, slot: BackendSlot, now: () => number) {
    this.#table = table;
    this.#pool = pool;
    this.#slot = slot;
    this.#now = now;
    this.#startedMs = now();
  }

  /** The head of the response came. */
  answered(status: number): void {
    if (!this.#pool.hears || this.#answered || this.#ended) return;
    this.#answered = true;
    const nowMs = this.#now();
    this.#table.hear(this.#slot, answerWith(status), nowMs - this.#startedMs, nowMs);
  }

  /** True for the first call. */
  end(outcome: AttemptOutcome): boolean {
    if (this.#ended) return false;
    const nowMs = this.#now();
    const tookMs = nowMs - this.#startedMs;
    if (this.#pool.hears && !this.#answered)
      this.#table.hear(this.#slot, answerWithout(outcome), tookMs, nowMs);
    this.#ended = true;
    this.#table.finish(this.#pool, this.#slot, outcome, tookMs, nowMs);
    return true;
  }
}
