import type { ServiceContext, Timer } from '@usher/ports';

const LEASE = 'health';
const LEASE_TTL_MS = 5000;
const RENEW_EVERY_MS = 1000;

/**
 * Whether this process probes: one does for the whole fleet, the holder of the lease, and another takes over within
 * seconds of its end. Whoever cannot ask for the lease probes after a while, and at once if it never could: probes by
 * several are harmless, since each change is written on condition, and probes by nobody are not.
 */
export class ProbeDuty {
  readonly #context: ServiceContext;
  readonly #changed: (acting: boolean) => void;
  #acting = false;
  #answeredMs = Number.NEGATIVE_INFINITY;
  #storeFault: string | undefined;
  #renewal: Promise<void> | undefined;
  #timer: Timer | undefined;

  /** `changed` is called when this process is to begin or to end probing. */
  constructor(context: ServiceContext, changed: (acting: boolean) => void) {
    this.#context = context;
    this.#changed = changed;
  }

  get acting(): boolean {
    return this.#acting;
  }

  /**
   * That it is this process's turn was confirmed within the time of the lease, or nobody can. False after the process stood
   * still for longer: another may have taken over.
   */
  get sure(): boolean {
    return this.#storeFault !== undefined || this.#context.clock.steady() - this.#answeredMs < LEASE_TTL_MS;
  }

  /** Why the lease could not be asked for the last time; undefined when it could. */
  get storeFault(): string | undefined {
    return this.#storeFault;
  }

  start(): void {
    this.#timer = this.#context.clock.every(RENEW_EVERY_MS, () => this.#renew());
    this.#renew();
  }

  /** Ends probing and gives the lease up, so that another can begin at once. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#renewal;
    this.#set(false);
    await this.#context.store.releaseLease(LEASE, this.#context.owner).catch(() => false);
  }

  #renew(): void {
    this.#renewal ??= this.#ask().finally(() => {
      this.#renewal = undefined;
    });
  }

  async #ask(): Promise<void> {
    const { store, clock, owner } = this.#context;
    try {
      const { held } = await store.acquireLease(LEASE, owner, LEASE_TTL_MS);
      this.#answeredMs = clock.steady();
      this.#storeFault = undefined;
      this.#set(held);
    } catch (error) {
      this.#storeFault = (error as Error).message;
      if (clock.steady() - this.#answeredMs >= LEASE_TTL_MS) this.#set(true);
    }
  }

  #set(acting: boolean): void {
    if (this.#acting === acting) return;
    this.#acting = acting;
    this.#context.log.info(acting ? 'probing the fleet' : 'not probing any more', { service: 'health' });
    this.#changed(acting);
  }
}
