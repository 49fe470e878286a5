/** A wall clock that was set by more than this is followed; less is left to the monotonic clock. */
const STEP_MIN_MS = 1_000;

/**
 * Milliseconds since the epoch with fractions, for the request path: monotonic between calls of `follow`, which takes up
 * the wall clock when that was set, for instance after the machine was suspended.
 */
export class WorkerClock {
  #offsetMs = Date.now() - performance.now();

  readonly now = (): number => this.#offsetMs + performance.now();

  /** Answers by how much it was set; 0 = it was not. */
  follow(): number {
    const setByMs = Date.now() - performance.now() - this.#offsetMs;
    if (Math.abs(setByMs) <= STEP_MIN_MS) return 0;
    this.#offsetMs += setByMs;
    return setByMs;
  }
}
