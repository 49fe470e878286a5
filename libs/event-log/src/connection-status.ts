import type { Clock, LogStatus } from '@usher/ports';

/** Whether the log can be used now, and who wants to know when that changes. */
export class ConnectionStatus {
  readonly #clock: Clock;
  readonly #listeners: ((status: LogStatus) => void)[] = [];
  #current: LogStatus;
  #fault: Pick<LogStatus, 'fault' | 'replaced'> = {};

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

  /** The log lacks records, as the sentence says; undefined = it is whole. */
  setLoss(fault: string | undefined): void {
    this.#fault = fault === undefined ? {} : { fault };
    this.#change(this.#current);
  }

  /** It is not the log any more that was read; the sentence says why. */
  setReplaced(fault: string): void {
    this.#fault = { fault, replaced: true };
    this.#change({
      connected: false,
      sinceMs: this.#current.connected ? this.#clock.now() : this.#current.sinceMs,
    });
  }

  #change({ connected, sinceMs }: LogStatus): void {
    this.#current = { connected, sinceMs, ...this.#fault };
    for (const listener of this.#listeners) listener(this.#current);
  }
}
