import type { Clock, LogStatus } from '@usher/ports';

/** Whether the log can be used now, and who wants to know when that changes. */
export class ConnectionStatus {
  readonly #clock: Clock;
  readonly #listeners: ((status: LogStatus) => void)[] = [];
  #current: LogStatus;

  constructor(clock: Clock, connected: boolean) {
    this.#clock = clock;
    this.#current = { connected, sinceMs: clock.now() };
  }

  get current(): LogStatus {
    return this.#current;
  }

  listen(listener: (status: LogStatus) => void): void {
    this.#listeners.push(listener);
  }

  set(connected: boolean): void {
    if (connected === this.#current.connected) return;
    this.#current = { connected, sinceMs: this.#clock.now() };
    for (const listener of this.#listeners) listener(this.#current);
  }
}
