import type { ServiceContext, Timer } from '@usher/ports';
import { StoreUnavailableError } from '@usher/ports';
import type { Facts } from './facts.ts';

const LEASE_TTL_MS = 10_000;
const LEASE_RENEW_MS = 3_000;

/**
 * Makes the gateway known: `gateway.started` and `gateway.stopped` in the log, and a lease in the store that ends soon after
 * the gateway dies without a word. Traffic needs neither of them.
 */
export class Presence {
  readonly #context: ServiceContext;
  readonly #facts: Facts;
  readonly #workers: number;
  #announced = false;
  #storeAway = false;
  #renewing: Timer | undefined;

  constructor(context: ServiceContext, facts: Facts, workers: number) {
    this.#context = context;
    this.#facts = facts;
    this.#workers = workers;
  }

  start(): void {
    this.announce();
    void this.#renew();
    this.#renewing = this.#context.clock.every(LEASE_RENEW_MS, () => void this.#renew());
  }

  /** Says that the gateway runs, unless that was said. To be called again as long as it might not have been taken. */
  announce(): void {
    if (this.#announced) return;
    const { instance, version } = this.#context;
    const data = { gateway: instance, version, workers: this.#workers };
    this.#announced = this.#facts.tell({ type: 'gateway.started', subject: instance, data });
  }

  /** The fleet took this gateway for lost, which it is not. */
  contradict(): void {
    this.#announced = false;
    this.announce();
  }

  /** Says that the gateway stops. The lease is kept until the end, so that nobody reports it lost before. */
  retire(): void {
    const { instance } = this.#context;
    this.#announced = true;
    this.#facts.tell({ type: 'gateway.stopped', subject: instance, data: { gateway: instance } });
  }

  async stop(): Promise<void> {
    this.#renewing?.cancel();
    const { store, instance } = this.#context;
    try {
      await store.releaseLease(leaseOf(instance), instance);
    } catch (error) {
      // It ends by itself.
      if (!(error instanceof StoreUnavailableError)) throw error;
    }
  }

  async #renew(): Promise<void> {
    const { store, instance, log } = this.#context;
    try {
      const { held, owner } = await store.acquireLease(leaseOf(instance), instance, LEASE_TTL_MS);
      if (!held) log.warn('another process goes by the name of this gateway', { owner });
      if (this.#storeAway) log.info('the gateway renews its lease again');
      this.#storeAway = false;
    } catch (error) {
      if (!this.#storeAway) {
        log.warn('the gateway cannot renew its lease; traffic is not affected', { cause: String(error) });
      }
      this.#storeAway = true;
    }
  }
}

function leaseOf(instance: string): string {
  return `gateway/${instance}`;
}
