import type { Log } from '@usher/ports';

/** A backend that does something wrong mostly does so with every request; one line in this time is enough. */
const INTERVAL_MS = 1000;

/** Tells operators which backend does something wrong, and what. */
export class BackendFaultLog {
  private readonly log: Log;
  private readonly message: string;
  private nextMs = 0;
  private suppressed = 0;

  constructor(log: Log, message: string) {
    this.log = log;
    this.message = message;
  }

  report(backend: string, detail: string, nowMs: number): void {
    if (nowMs < this.nextMs) {
      this.suppressed += 1;
      return;
    }
    this.log.warn(this.message, { backend, detail, suppressed: this.suppressed });
    this.nextMs = nowMs + INTERVAL_MS;
    this.suppressed = 0;
  }
}
