import type { ServiceContext, Timer } from '@usher/ports';
import { StoreUnavailableError } from '@usher/ports';

const LEASE = 'scheduler';
const LEASE_TTL_MS = 5_000;
const RENEW_EVERY_MS = 1_000;

/**
 * Who leads: whoever holds the lease. The lease only makes two leaders unlikely; what makes them harmless is that each
 * append is conditional. So a leader that cannot reach the store goes on, and nobody becomes one without it.
 */
export class Leadership {
  readonly #context: ServiceContext;
  readonly #lead: () => Promise<void>;
  readonly #retire: () => void;
  #leading = false;
  #busy = false;
  #timer: Timer | undefined;

  /** `lead` is called when this process is to take over; if it rejects, leading is tried again. `retire` when it has lost the lease. */
  constructor(context: ServiceContext, lead: () => Promise<void>, retire: () => void) {
    this.#context = context;
    this.#lead = lead;
    this.#retire = retire;
  }

  get leading(): boolean {
    return this.#leading;
  }

  async start(): Promise<void> {
    this.#timer = this.#context.clock.every(RENEW_EVERY_MS, () => void this.#renew());
    await this.#renew();
  }

  /** Gives up leading, for instance because somebody else wrote; stands for it again at the next renewal. */
  depose(): void {
    if (!this.#leading) return;
    this.#leading = false;
    this.#context.log.warn('another scheduler writes the log; stepping down');
    this.#retire();
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    if (this.#leading) {
      this.#leading = false;
      this.#retire();
    }
    await this.#context.store.releaseLease(LEASE, this.#context.instance).catch(() => false);
  }

  async #renew(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      const { held, owner } = await this.#context.store.acquireLease(
        LEASE,
        this.#context.instance,
        LEASE_TTL_MS,
      );
      if (held && !this.#leading) {
        await this.#lead();
        this.#leading = true;
      } else if (!held && this.#leading) {
        this.#leading = false;
        this.#context.log.warn('lost the lease to lead', { leader: owner });
        this.#retire();
      }
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) {
        this.#context.log.warn('cannot lead now', { cause: (error as Error).message });
      }
    } finally {
      this.#busy = false;
    }
  }
}
