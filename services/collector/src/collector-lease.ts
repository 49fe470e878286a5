import type { Clock, Log, StateStore } from '@usher/ports';

const LEASE = 'collector';
const TTL_MS = 5_000;

/** Of several collectors one writes: the holder of the lease. It goes on without the store until its time is over. */
export class CollectorLease {
  readonly #store: StateStore;
  readonly #owner: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #heldUntilMs = 0;
  #renewing: Promise<void> | undefined;
  #fault: string | undefined;

  constructor(options: { store: StateStore; owner: string; clock: Clock; log: Log }) {
    this.#store = options.store;
    this.#owner = options.owner;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  get held(): boolean {
    return this.#clock.steady() < this.#heldUntilMs;
  }

  /** Undefined while the store answers. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Asks for the lease, or for more time; never twice at once. */
  renew(): Promise<void> {
    this.#renewing ??= this.#acquire().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async release(): Promise<void> {
    await this.#renewing;
    this.#heldUntilMs = 0;
    await this.#store.releaseLease(LEASE, this.#owner).catch(() => false);
  }

  async #acquire(): Promise<void> {
    // Counted from before the question: the store counts from when it got it.
    const untilMs = this.#clock.steady() + TTL_MS;
    const led = this.held;
    try {
      const { held, owner } = await this.#store.acquireLease(LEASE, this.#owner, TTL_MS);
      this.#heldUntilMs = held ? untilMs : 0;
      this.#fault = undefined;
      if (held !== led) this.#log.info(held ? 'collector: leading' : 'collector: standing by', { owner });
    } catch (error) {
      this.#fault = `the lease cannot be kept: ${(error as Error).message}`;
    }
  }
}
