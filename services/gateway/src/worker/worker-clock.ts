/** A wall clock that was set by more than this is followed; less is left to the monotonic clock. */
const STEP_MIN_MS = 1_000;

/**
 * Milliseconds since the epoch with fractions, for the request path: monotonic between calls of `follow`, which takes up
 * the wall clock when that was set, for instance after the machine was suspended.
 */
export class WorkerClock {
  #offsetMs = Date.now() - performance.now();

  readonly now = (): number => this.#offsetMs + performance.now();

  follow(): void {
    const offsetMs = Date.now() - performance.now();
    if (Math.abs(offsetMs - this.#offsetMs) > STEP_MIN_MS) this.#offsetMs = offsetMs;
  }
}
