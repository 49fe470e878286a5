import type { Clock, Timer } from '@usher/ports';
import type { Ask, Full } from './ask.ts';

/** A request that waits until something is given back. */
export interface Waiting {
  readonly ask: Ask;
  /** Why it waits. */
  full: Full;
  readonly sinceMs: number;
  readonly late: Timer;
}

/** Requests of one pool that wait, in order of arrival. */
export class AskLine {
  readonly #clock: Clock;
  readonly #onLate: (waiting: Waiting) => void;
  readonly #waiting = new Set<Waiting>();

  /** `onLate` is told of those who have waited as long as they may, and are not in the line any more. */
  constructor(clock: Clock, onLate: (waiting: Waiting) => void) {
    this.#clock = clock;
    this.#onLate = onLate;
  }

  get length(): number {
    return this.#waiting.size;
  }

  get first(): Waiting | undefined {
    for (const waiting of this.#waiting) return waiting;
    return undefined;
  }

  enter(ask: Ask, full: Full, timeoutMs: number): void {
    const waiting: Waiting = {
      ask,
      full,
      sinceMs: this.#clock.steady(),
      late: this.#clock.after(timeoutMs, () => {
        if (this.leave(waiting)) this.#onLate(waiting);
      }),
    };
    this.#waiting.add(waiting);
  }

  /** False when it was not in the line any more. */
  leave(waiting: Waiting): boolean {
    waiting.late.cancel();
    return this.#waiting.delete(waiting);
  }

  /** Takes out those who asked so. */
  leaveIf(asked: (ask: Ask) => boolean): Waiting[] {
    return [...this.#waiting].filter((waiting) => asked(waiting.ask) && this.leave(waiting));
  }
}
