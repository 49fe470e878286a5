import type { UsherEvent } from '@usher/events';
import type { ServiceContext, Timer } from '@usher/ports';
import { StoreUnavailableError } from '@usher/ports';
import type { Facts } from './facts.ts';

const LEASE_TTL_MS = 10_000;
const LEASE_RENEW_MS = 3_000;
/** The lease of a process that is gone outlives so many renewals of ours, and no more. */
const DENIALS_MAX = Math.floor(LEASE_TTL_MS / LEASE_RENEW_MS) + 1;

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
  /** In a row. */
  #denials = 0;
  #fault: string | undefined;

  constructor(context: ServiceContext, facts: Facts, workers: number) {
    this.#context = context;
    this.#facts = facts;
    this.#workers = workers;
  }

  /** Undefined unless another gateway goes by the same name. */
  get fault(): string | undefined {
    return this.#fault;
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

  /** To be told of every event: the fleet may take this gateway for lost, which it is not. */
  follow({ type, data }: UsherEvent): void {
    if (type !== 'gateway.lost' || data.gateway !== this.#context.instance) return;
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
    const { store, instance, owner } = this.#context;
    try {
      await store.releaseLease(leaseOf(instance), owner);
    } catch (error) {
      // It ends by itself.
      if (!(error instanceof StoreUnavailableError)) throw error;
    }
  }

  async #renew(): Promise<void> {
    const { store, instance, owner, log } = this.#context;
    try {
      const lease = await store.acquireLease(leaseOf(instance), owner, LEASE_TTL_MS);
      this.#noteHolder(lease.held, lease.owner);
      if (this.#storeAway) log.info('the gateway renews its lease again');
      this.#storeAway = false;
    } catch (error) {
      if (!this.#storeAway) {
        log.warn('the gateway cannot renew its lease; traffic is not affected', { cause: String(error) });
      }
      this.#storeAway = true;
    }
  }

  /**
   * The lease of a process of this name that was killed lives on for a while; one that is renewed is somebody else's. Counted
   * and not timed: the machine's clock may be set meanwhile.
   */
  #noteHolder(held: boolean, holder: string): void {
    const { instance, log } = this.#context;
    if (held) {
      this.#denials = 0;
      this.#fault = undefined;
      return;
    }
    this.#denials += 1;
    if (this.#fault !== undefined || this.#denials <= DENIALS_MAX) return;
    this.#fault = `another process is called ${instance} too: each needs a \`name\` of its own`;
    log.error(this.#fault, { holder });
  }
}

function leaseOf(instance: string): string {
  return `gateway/${instance}`;
}
