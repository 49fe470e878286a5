import type { Timer } from '@usher/ports';
import type { Trace } from './trace.ts';
import { whenSettled } from './turns.ts';

interface Due {
  readonly atMs: number;
  /** What is due at the same instant happens in the order in which it was planned. */
  readonly order: number;
  run: (() => void) | undefined;
}

/**
 * Time and what happens in it. Nothing else makes anything happen: no timer, no socket, no file. Between two events
 * everything that promises set off is carried out, so equal plans happen equally.
 */
export class World {
  readonly trace: Trace;
  readonly startMs = Date.UTC(2026, 0, 1);
  #nowMs = this.startMs;
  #order = 0;
  readonly #heap: Due[] = [];
  #stopped = false;

  constructor(trace: Trace) {
    this.trace = trace;
  }

  /** Milliseconds since the epoch, as nobody in the simulation knows them exactly. */
  get nowMs(): number {
    return this.#nowMs;
  }

  get elapsedMs(): number {
    return this.#nowMs - this.startMs;
  }

  note(where: string, what: string): void {
    this.trace.note(this.elapsedMs, where, what);
  }

  after(ms: number, run: () => void): Timer {
    return this.at(this.#nowMs + ms, run);
  }

  at(atMs: number, run: () => void): Timer {
    const due: Due = { atMs: Math.max(atMs, this.#nowMs), order: this.#order++, run };
    this.#push(due);
    return {
      cancel: () => {
        due.run = undefined;
      },
    };
  }

  /** Lets nothing happen any more. */
  stop(): void {
    this.#stopped = true;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Lets so much time pass, with everything that happens in it. */
  pass(ms: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const endMs = this.#nowMs + ms;
    const next = (): void => {
      try {
        if (this.#happen(endMs)) whenSettled(next);
        else resolve();
      } catch (error) {
        reject(error);
      }
    };
    whenSettled(next);
    return promise;
  }

  /** The next thing until then; false when there is none, and it is then. */
  #happen(endMs: number): boolean {
    while (!this.#stopped) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > endMs) {
        this.#nowMs = endMs;
        return false;
      }
      this.#pop();
      if (next.run === undefined) continue;
      this.#nowMs = next.atMs;
      next.run();
      return true;
    }
    return false;
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let index = heap.push(due) - 1;
    while (index > 0) {
      const above = (index - 1) >> 1;
      if (isBefore(heap[above]!, due)) break;
      heap[index] = heap[above]!;
      index = above;
    }
    heap[index] = due;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below += 1;
      if (isBefore(last, heap[below]!)) break;
      heap[index] = heap[below]!;
      index = below;
    }
    heap[index] = last;
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
