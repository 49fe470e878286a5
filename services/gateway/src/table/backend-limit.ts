import type { RowLimit } from './row-limit.ts';

/**
 * Cells: requests under way from all workers together; for an adaptive limit where that stands, the most that were under way,
 * answers, and what those took together; then the requests of each worker.
 */
const TOTAL = 0;
const ADAPTED = 1;
const PEAK = 2;
const ANSWERS = 3;
const ANSWERED_STEPS = 4;
const FIRST_WORKER = 5;

/** Times are added up in such steps, so that a moment's sum fits into a cell. */
const STEPS_PER_MS = 20;
const ANSWER_MAX_MS = 60_000;

/** What was seen of a backend since the last look. */
export interface AnswersSeen {
  readonly answers: number;
  readonly sumMs: number;
  readonly inFlightMax: number;
}

/** Sets where an adaptive limit stands. */
export function adaptTo(limit: number, shared: SharedArrayBuffer): void {
  Atomics.store(new Int32Array(shared), ADAPTED, limit);
}

/** Takes what the workers have seen of a backend with an adaptive limit. */
export function takeSeen(shared: SharedArrayBuffer): AnswersSeen {
  const cells = new Int32Array(shared);
  const inFlightMax = Atomics.exchange(cells, PEAK, Atomics.load(cells, TOTAL));
  const answers = Atomics.exchange(cells, ANSWERS, 0);
  return { answers, sumMs: Atomics.exchange(cells, ANSWERED_STEPS, 0) / STEPS_PER_MS, inFlightMax };
}

/** What the workers of a gateway share to keep a backend's limit together. */
export function newLimitCells(workers: number): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * (FIRST_WORKER + workers));
}

/** Whether nothing is under way by these cells. */
export function isUnused(shared: SharedArrayBuffer): boolean {
  return Atomics.load(new Int32Array(shared), TOTAL) === 0;
}

/** Gives back what a worker had that is no more. */
export function giveBackOf(worker: number, shared: SharedArrayBuffer): void {
  const cells = new Int32Array(shared);
  Atomics.sub(cells, TOTAL, Atomics.exchange(cells, FIRST_WORKER + worker, 0));
}

/**
 * One worker's view of how many requests a backend may have at a time. All workers of a gateway count in the same
 * memory, so that together they never exceed the limit and none of them holds a share that another one needs: fixed
 * shares would leave a worker with nothing where a backend takes fewer requests than there are workers.
 */
export class BackendLimit {
  readonly shared: SharedArrayBuffer;
  readonly #cells: Int32Array;
  readonly #own: number;
  #max: number;
  #adaptive: boolean;

  constructor({ cells, max, adaptive }: RowLimit, worker: number) {
    this.shared = cells;
    this.#cells = new Int32Array(cells);
    this.#own = FIRST_WORKER + worker;
    this.#max = max;
    this.#adaptive = adaptive;
  }

  set({ max, adaptive }: Pick<RowLimit, 'max' | 'adaptive'>): void {
    this.#max = max;
    this.#adaptive = adaptive;
  }

  get max(): number {
    return this.#adaptive ? Math.min(this.#max, Atomics.load(this.#cells, ADAPTED)) : this.#max;
  }

  get full(): boolean {
    return Atomics.load(this.#cells, TOTAL) >= this.max;
  }

  /** An answer has begun to come. */
  heard(afterMs: number): void {
    if (!this.#adaptive) return;
    Atomics.add(this.#cells, ANSWERS, 1);
    Atomics.add(this.#cells, ANSWERED_STEPS, Math.round(Math.min(afterMs, ANSWER_MAX_MS) * STEPS_PER_MS));
  }

  /** Takes room for one more request; false when there is none. */
  take(): boolean {
    const cells = this.#cells;
    const { max } = this;
    for (let total = Atomics.load(cells, TOTAL); total < max; ) {
      const found = Atomics.compareExchange(cells, TOTAL, total, total + 1);
      if (found === total) {
        Atomics.add(cells, this.#own, 1);
        if (this.#adaptive && Atomics.load(cells, PEAK) <= total) Atomics.store(cells, PEAK, total + 1);
        return true;
      }
      total = found;
    }
    return false;
  }

  give(): void {
    this.adjust(-1);
  }

  /** Counts requests that began, or goes on without counting those that end, because the limit was set or lifted meanwhile. */
  adjust(requests: number): void {
    Atomics.add(this.#cells, TOTAL, requests);
    Atomics.add(this.#cells, this.#own, requests);
  }
}
