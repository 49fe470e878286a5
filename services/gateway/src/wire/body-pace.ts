/** How far behind a body may fall, and how long it may take to begin. */
const GRACE_MS = 10_000;

/**
 * Holds the body of a request to a minimum rate. It needs no timer: it tells until when the next bytes have to be there,
 * and each byte moves that on by its share of a second. What is sent ahead counts for no more than the grace, so that
 * nobody may trickle after a fast beginning.
 */
export class BodyPace {
  private dueMs: number;
  private readonly msPerByte: number;

  constructor(bytesPerS: number, nowMs: number) {
    this.msPerByte = 1000 / bytesPerS;
    this.dueMs = nowMs + GRACE_MS;
  }

  /** Takes note of `bytes` more; answers with when the next ones are due. */
  received(bytes: number, nowMs: number): number {
    this.dueMs = Math.min(this.dueMs + bytes * this.msPerByte, nowMs + GRACE_MS);
    return this.dueMs;
  }

  /** The client was kept from sending until now. */
  restart(nowMs: number): void {
    this.dueMs = nowMs + GRACE_MS;
  }
}
