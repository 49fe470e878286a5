import type { Log } from '@usher/ports';

/** What a process has opened, closed in reverse order: what was opened later relies on what was opened before. */
export class Closing {
  readonly #steps: { readonly what: string; readonly close: () => Promise<void> | void }[] = [];

  add(what: string, close: () => Promise<void> | void): void {
    this.#steps.push({ what, close });
  }

  /** Closes everything, whatever fails; a failure is said and hinders nothing else. */
  async run(log: Log): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.close();
      } catch (error) {
        log.error('could not be closed in an orderly way', { what: step.what, error });
      }
    }
  }
}
