/** Until when one request has to be over, in milliseconds since the epoch. */
export class TimeLimits {
  /** When the client waits no longer, which is no fault of the backend. */
  readonly patientUntilMs: number;
  /** When it has to be over in any case. */
  readonly endMs: number;

  /** `requestMs`: how long a whole request may take, 0 = as long as the client waits. */
  constructor(startMs: number, patienceMs: number, requestMs: number) {
    this.patientUntilMs = startMs + patienceMs;
    this.endMs = Math.min(this.patientUntilMs, requestMs === 0 ? Infinity : startMs + requestMs);
  }
}
