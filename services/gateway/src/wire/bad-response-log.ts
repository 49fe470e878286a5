import type { Log } from '@usher/ports';

/** A backend that breaks the rules does so with every response; one line in this time is enough. */
const INTERVAL_MS = 1000;

/** Tells operators which backend sends invalid HTTP and which rule it breaks. */
export class BadResponseLog {
  private readonly log: Log;
  private nextMs = 0;
  private suppressed = 0;

  constructor(log: Log) {
    this.log = log;
  }

  report(backend: string, detail: string, nowMs: number): void {
    if (nowMs < this.nextMs) {
      this.suppressed += 1;
      return;
    }
    this.log.warn('a backend sent an invalid response', { backend, detail, suppressed: this.suppressed });
    this.nextMs = nowMs + INTERVAL_MS;
    this.suppressed = 0;
  }
}
