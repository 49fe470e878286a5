import type { Clock, Log, Random } from '@usher/ports';

const BACKOFF_FIRST_MS = 1_000;
/** From so many failures in a row on the server is broken: it gets one try at a time, far apart, until one succeeds. */
const FAILURES_MAX = 5;
const OPEN_MS = 30_000;

/**
 * When to try again. After a failure it waits twice as long as the time before, and once the server counts as broken
 * for half a minute; of each wait a random half is left out, so that agents do not come back all at once.
 */
export class Patience {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  #failures = 0;
  #notBeforeMs = 0;
  #fault: string | undefined;

  constructor({ clock, random, log }: { clock: Clock; random: Random; log: Log }) {
    this.#clock = clock;
    this.#random = random;
    this.#log = log;
  }

  /** Undefined while things get through, else why they do not. */
  get fault(): string | undefined {
    return this.#fault;
  }

  mayTry(): boolean {
    return this.#clock.steady() >= this.#notBeforeMs;
  }

  succeeded(): void {
    if (this.#fault !== undefined) this.#log.info('agent: reports get through again');
    this.#fault = undefined;
    this.#failures = 0;
    this.#notBeforeMs = 0;
  }

  failed(fault: string): void {
    if (this.#fault !== fault) this.#log.warn('agent: reports do not get through', { cause: fault });
    this.#fault = fault;
    this.#failures += 1;
    const broken = this.#failures >= FAILURES_MAX;
    if (this.#failures === FAILURES_MAX) this.#log.info('agent: the server is left alone for a while');
    const longestMs = broken ? OPEN_MS : BACKOFF_FIRST_MS * 2 ** (this.#failures - 1);
    this.#notBeforeMs = this.#clock.steady() + longestMs * (0.5 + this.#random.next() / 2);
  }
}
