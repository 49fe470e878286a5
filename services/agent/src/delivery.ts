import { UsherError } from '@usher/domain';
import type { Clock, Log, Random } from '@usher/ports';
import { Patience } from './patience.ts';
import type { Registration, Uplink } from './uplink.ts';

export interface DeliveryOptions {
  readonly uplink: Uplink;
  /** Absent = the backend is declared elsewhere; the agent only reports. */
  readonly registration?: Registration | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/**
 * Brings reports to the fleet, one at a time. A report that cannot be sent is not kept, for a fresher one follows. With
 * a registration the backend is registered before its first report, and again when the fleet does not know it.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #patience: Patience;
  #underWay: Promise<void> | undefined;
  #stopped = false;
  #registered = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#patience = new Patience(options);
  }

  get fault(): string | undefined {
    return this.#patience.fault;
  }

  offer(report: string): void {
    if (this.#underWay !== undefined || this.#stopped || !this.#patience.mayTry()) return;
    this.#underWay = this.#deliver(report).finally(() => {
      this.#underWay = undefined;
    });
  }

  /** Nothing is reported any more; what was registered is deregistered, if the server lets us. */
  async stop(): Promise<void> {
    const { uplink, log } = this.#options;
    this.#stopped = true;
    uplink.abort();
    await this.#underWay;
    try {
      if (this.#registered) await uplink.deregister();
    } catch (error) {
      log.warn('agent: the backend could not be deregistered', { cause: (error as Error).message });
    }
    uplink.close();
  }

  async #deliver(report: string): Promise<void> {
    const { uplink, registration, log } = this.#options;
    try {
      if (registration !== undefined && !this.#registered) {
        await uplink.register(registration);
        this.#registered = true;
        log.info('agent: the backend is registered', { pool: registration.pool, url: registration.url });
      }
      await uplink.report(report);
      if (!this.#stopped) this.#patience.succeeded();
    } catch (error) {
      if (this.#stopped) return;
      // Just registered and not known yet, or known no more: either way, registering once more does no harm.
      if (error instanceof UsherError && error.code === 'not_found') this.#registered = false;
      this.#patience.failed((error as Error).message);
    }
  }
}
