import type { ServiceContext, Timer } from '@usher/ports';
import { StoreUnavailableError } from '@usher/ports';

const LEASE = 'scheduler';
const LEASE_TTL_MS = 5_000;
const RENEW_EVERY_MS = 1_000;

/** How long a leader may be cut off from the log before another one, who may reach it, gets its chance. */
const CUT_OFF_MAX_MS = 2_000;

/**
 * Who leads: whoever holds the lease. The lease only makes two leaders unlikely; what makes them harmless is that each
 * append is conditional. So a leader that cannot reach the store goes on, and nobody becomes one without it. A leader
 * that cannot reach the log is of no use to anybody and makes room.
 */
export class Leadership {
  readonly #context: ServiceContext;
  readonly #lead: () => Promise<void>;
  readonly #retire: () => void;
  #leading = false;
  #busy = false;
  /** When the log was last seen to be in reach. */
  #reachedMs: number;
  #timer: Timer | undefined;

  /** `lead` is called when this process is to take over; if it rejects, leading is tried again. `retire` when it has lost the lease. */
  constructor(context: ServiceContext, lead: () => Promise<void>, retire: () => void) {
    this.#context = context;
    this.#reachedMs = context.clock.steady();
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
    await this.#release();
  }

  async #release(): Promise<void> {
    await this.#context.store.releaseLease(LEASE, this.#context.owner).catch(() => false);
  }

  /** The log has been out of reach for so long that somebody else should try. */
  #isCutOff(): boolean {
    const nowMs = this.#context.clock.steady();
    if (this.#context.events.status().connected) this.#reachedMs = nowMs;
    return nowMs - this.#reachedMs >= CUT_OFF_MAX_MS;
  }

  async #renew(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      if (this.#isCutOff()) await this.#makeRoom();
      else await this.#stand();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) {
        this.#context.log.warn('cannot lead now', { cause: (error as Error).message });
      }
    } finally {
      this.#busy = false;
    }
  }

  async #stand(): Promise<void> {
    const { store, owner, log } = this.#context;
    const lease = await store.acquireLease(LEASE, owner, LEASE_TTL_MS);
    if (lease.held && !this.#leading) {
      try {
        await this.#lead();
      } catch (error) {
        // Another one may be able to.
        await this.#release();
        throw error;
      }
      this.#leading = true;
    } else if (!lease.held && this.#leading) {
      this.#leading = false;
      log.warn('lost the lease to lead', { leader: lease.owner });
      this.#retire();
    }
  }

  async #makeRoom(): Promise<void> {
    if (!this.#leading) return;
    this.#leading = false;
    this.#context.log.warn('the log is out of reach; another scheduler may lead');
    this.#retire();
    await this.#release();
  }
}
