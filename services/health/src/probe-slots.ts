/** Lets a limited number of tasks run at a time; the others wait their turn in order of arrival. */
export class ProbeSlots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(slots: number) {
    this.#free = slots;
  }

  /** Calls `task` when there is a slot, which it gives back by `release`. Answers with a function that leaves the queue. */
  take(task: () => void): () => void {
    if (this.#free > 0) {
      this.#free -= 1;
      task();
      return () => {};
    }
    this.#waiting.add(task);
    return () => this.#waiting.delete(task);
  }

  release(): void {
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      next();
      return;
    }
    this.#free += 1;
  }
}
