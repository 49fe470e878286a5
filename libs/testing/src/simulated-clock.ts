import type { Clock, Timer } from '@usher/ports';

interface Pending {
  readonly dueMs: number;
  /** Timers due at the same instant fire in the order they were set. */
  readonly order: number;
  readonly callback: () => void;
  readonly repeatMs?: number;
}

/** A clock that stands still until a test moves or sets it. */
export class SimulatedClock implements Clock {
  /** Begins between two milliseconds, as the steady clock of a machine does. */
  #steadyMs = 0.5;
  /** What it says, less how long it has run. */
  #offsetMs: number;
  #order = 0;
  readonly #pending = new Map<number, Pending>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#offsetMs = startMs - this.#steadyMs;
  }

  now(): number {
    return this.#offsetMs + this.#steadyMs;
  }

  steady(): number {
    return this.#steadyMs;
  }

  /** Sets it, as an operator does: no time passes by that. */
  set(byMs: number): void {
    this.#offsetMs += byMs;
  }

  after(ms: number, callback: () => void): Timer {
    return this.#add(ms, callback);
  }

  every(ms: number, callback: () => void): Timer {
    if (!(ms > 0)) throw new RangeError(`a repeating timer needs a positive interval, not ${ms}`);
    return this.#add(ms, callback, ms);
  }

  /** How many timers are set; lets a test see that nothing was left behind. */
  get timers(): number {
    return this.#pending.size;
  }

  /** Moves time forward and fires what falls due on the way, in order, also timers that were set by others that fired. */
  advance(ms: number): void {
    const endMs = this.#steadyMs + ms;
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#steadyMs = Math.max(this.#steadyMs, next.dueMs);
      this.#pending.delete(next.order);
      if (next.repeatMs !== undefined) {
        this.#pending.set(next.order, { ...next, dueMs: next.dueMs + next.repeatMs });
      }
      next.callback();
    }
    this.#steadyMs = endMs;
  }

  #add(ms: number, callback: () => void, repeatMs?: number): Timer {
    const order = this.#order++;
    const timer = { dueMs: this.#steadyMs + Math.max(0, ms), order, callback };
    this.#pending.set(order, repeatMs === undefined ? timer : { ...timer, repeatMs });
    return { cancel: () => void this.#pending.delete(order) };
  }

  #next(endMs: number): Pending | undefined {
    let first: Pending | undefined;
    for (const timer of this.#pending.values()) {
      if (timer.dueMs > endMs) continue;
      if (
        first === undefined ||
        timer.dueMs < first.dueMs ||
        (timer.dueMs === first.dueMs && timer.order < first.order)
      ) {
        first = timer;
      }
    }
    return first;
  }
}
