/** Runs tasks one after the other, in the order in which they were given. */
export class OneByOne {
  #last: Promise<unknown> = Promise.resolve();

  /** Resolves and rejects as the task does. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#last.then(task);
    // The next one goes on whatever became of this one; its failure is its caller's to see.
    this.#last = run.catch(() => {});
    return run;
  }

  /** Resolves when all tasks that were given so far are over. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
