import type { Clock, LogStatus } from '@usher/ports';

/** Whether the log can be used now, and who wants to know when that changes. */
export class ConnectionStatus {
  readonly #clock: Clock;
  readonly #listeners: ((status: LogStatus) => void)[] = [];
  #current: LogStatus;
  #fault: string | undefined;

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
    if (connected !== this.#current.connected) this.#change({ connected, sinceMs: this.#clock.now() });
  }

  /** Says what is wrong with the log itself; undefined = nothing any more. */
  setFault(fault: string | undefined): void {
    if (fault !== this.#fault) {
      this.#fault = fault;
      this.#change(this.#current);
    }
  }

  #change({ connected, sinceMs }: LogStatus): void {
    const fault = this.#fault;
    this.#current = { connected, sinceMs, ...(fault === undefined ? {} : { fault }) };
    for (const listener of this.#listeners) listener(this.#current);
  }
}
