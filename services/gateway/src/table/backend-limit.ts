/** Cells: requests under way from all workers together, then those of each worker. */
const TOTAL = 0;
const FIRST_WORKER = 1;

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
  max: number;
  readonly shared: SharedArrayBuffer;
  readonly #cells: Int32Array;
  readonly #own: number;

  constructor(shared: SharedArrayBuffer, worker: number, max: number) {
    this.shared = shared;
    this.#cells = new Int32Array(shared);
    this.#own = FIRST_WORKER + worker;
    this.max = max;
  }

  get full(): boolean {
    return Atomics.load(this.#cells, TOTAL) >= this.max;
  }

  /** Takes room for one more request; false when there is none. */
  take(): boolean {
    const cells = this.#cells;
    for (let total = Atomics.load(cells, TOTAL); total < this.max; ) {
      const found = Atomics.compareExchange(cells, TOTAL, total, total + 1);
      if (found === total) {
        Atomics.add(cells, this.#own, 1);
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
