import type { Wait } from '../waiting.ts';
import { RATE_ANSWER_MAX_MS } from './rate-asks.ts';
import type { RateLimiter } from './rate-limiter.ts';
import type { RateTicket } from './rate-ticket.ts';

/** A request that waits until it is known whether its client may have it: once for each client that is new to the gateway, or had nothing in hand. */
export class RateWait implements Wait {
  readonly brief = true;
  readonly dueMs: number;
  readonly #limiter: RateLimiter;
  readonly #ticket: RateTicket;
  readonly #onSettled: () => void;
  #forget: (() => void) | undefined;

  constructor(limiter: RateLimiter, ticket: RateTicket, nowMs: number, onSettled: () => void) {
    this.#limiter = limiter;
    this.#ticket = ticket;
    this.#onSettled = onSettled;
    // The limiter itself settles it sooner.
    this.dueMs = nowMs + 4 * RATE_ANSWER_MAX_MS;
  }

  begin(): void {
    this.#forget = this.#limiter.wait(this.#ticket, this.#onSettled);
  }

  leave(): void {
    this.#forget?.();
  }

  expire(): void {
    this.leave();
    this.#onSettled();
  }
}
