import type { EventEmitter } from 'node:events';
import type { Features } from '@usher/domain';
import type { AttemptOutcome, BackendSlot, Hold, PoolTable, RoutingTable } from '../routing-table.ts';
import { visitOf } from '../sticky/sticky.ts';
import { answerWith, answerWithout } from '../table/slot-load.ts';
import type { Guest } from '../waiting.ts';

/** What a request is placed by. */
export interface Placed {
  readonly table: RoutingTable;
  readonly pool: PoolTable;
  readonly features: Features;
  /** Had the request already. */
  readonly tried: readonly BackendSlot[];
  readonly now: () => number;
}

/** Begins a request on a backend, at once or when one has room. A guest whose `client` closes before that hears nothing. */
export function waitForRoom(placed: Placed, client: EventEmitter, guest: Guest): void {
  const { table, pool, features, tried, now } = placed;
  const slot = table.pick(pool, tried, features);
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
  const wait = table.wait(pool, tried, features, {
    onRoom(room, reserved) {
      settle();
      guest.onRoom(room, reserved);
    },
    onNoRoom(code, detail) {
      settle();
      guest.onNoRoom(code, detail);
    },
  });
  const late = setTimeout(() => wait.expire(), wait.dueMs - now());
  client.once('close', onClose);
  wait.begin();
}

/**
 * Begins another attempt on a backend that was not tried, if the budget allows one; false, and the guest hears nothing,
 * when it does not or nobody has room. Only where something has to be reserved does another attempt wait.
 */
export function retryOn(placed: Placed, client: EventEmitter, guest: Guest): boolean {
  const { table, pool, features, tried, now } = placed;
  const slot = table.pick(pool, tried, features);
  if (slot === undefined && !pool.reserves) return false;
  if (!table.takeRetry(pool, now())) return false;
  if (slot === undefined) {
    waitForRoom(placed, client, guest);
    return true;
  }
  if (!table.begin(slot)) return false;
  guest.onRoom(slot);
  return true;
}

/** One attempt on a backend, from now on. Tells the table of its answer and its end, each once. */
export class Attempt {
  readonly #table: RoutingTable;
  readonly #pool: PoolTable;
  readonly #slot: BackendSlot;
  readonly #now: () => number;
  readonly #startedMs: number;
  readonly #reserved: Hold | undefined;
  #answered = false;
  #ended = false;

  /** `reserved`: what is released when it ends. */
  constructor({ table, pool, features, now }: Placed, slot: BackendSlot, reserved: Hold | undefined) {
    this.#table = table;
    this.#pool = pool;
    this.#slot = slot;
    this.#reserved = reserved;
    this.#now = now;
    this.#startedMs = now();
    visitOf(features)?.began(slot);
  }

  /** The head of the response came. */
  answered(status: number): void {
    if (!this.#pool.hears || this.#answered || this.#ended) return;
    this.#answered = true;
    const nowMs = this.#now();
    this.#table.hear(this.#slot, answerWith(status), this.#tookMs(nowMs), nowMs);
  }

  /** True for the first call. */
  end(outcome: AttemptOutcome): boolean {
    if (this.#ended) return false;
    const nowMs = this.#now();
    const tookMs = this.#tookMs(nowMs);
    if (this.#pool.hears && !this.#answered)
      this.#table.hear(this.#slot, answerWithout(outcome), tookMs, nowMs);
    this.#ended = true;
    this.#reserved?.release();
    this.#table.finish(this.#pool, this.#slot, outcome, tookMs, nowMs);
    return true;
  }

  /** The worker's clock may have been set back meanwhile; an attempt that took less than no time is no fact. */
  #tookMs(nowMs: number): number {
    return Math.max(0, nowMs - this.#startedMs);
  }
}
