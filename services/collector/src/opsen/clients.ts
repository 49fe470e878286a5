import type { BackendState } from '@usher/domain';
import { type ServiceContext, StoreUnavailableError } from '@usher/ports';
import { type ClientDetails, unknownClient } from './registration.ts';

/** Every report renews what is remembered of its client, so this is how long one may be silent. */
const REMEMBERED_MS = 24 * 3_600_000;

/**
 * The clients of one pool. The fleet knows their backends; the rest, which only shows, is in the state store, for other
 * processes too. Without it clients go by the ids of their backends.
 */
export class Clients {
  readonly #context: ServiceContext;
  readonly #pool: string;

  constructor(context: ServiceContext, pool: string) {
    this.#context = context;
    this.#pool = pool;
  }

  /** The backends of the pool. */
  backends(): BackendState[] {
    return [...this.#context.fleet.state.backends.values()].filter(
      (each) => each.settings.pool === this.#pool,
    );
  }

  /** The client's backend, if the fleet has it. */
  find(backend: string): BackendState | undefined {
    const found = this.#context.fleet.state.backends.get(backend);
    return found?.settings.pool === this.#pool ? found : undefined;
  }

  async remember(backend: string, details: ClientDetails): Promise<void> {
    try {
      await this.#context.store.set(this.#key(backend), JSON.stringify(details), REMEMBERED_MS);
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      this.#context.log.warn('the details of a client were not kept', { backend, cause: error.message });
    }
  }

  /** Changes what is remembered of a client, and remembers it for as long again. */
  async amend(
    backend: string,
    clientId: string,
    change: (known: ClientDetails) => ClientDetails,
  ): Promise<void> {
    const known = await this.#known(backend, clientId);
    // Without the store what is not known is not forgotten either.
    if (known !== undefined) await this.remember(backend, change(known));
  }

  async details(backend: string): Promise<ClientDetails> {
    return (await this.#known(backend, backend)) ?? unknownClient(backend);
  }

  /** Undefined while the store does not answer. */
  async #known(backend: string, clientId: string): Promise<ClientDetails | undefined> {
    try {
      const known = await this.#context.store.get(this.#key(backend));
      // What older processes have written says less.
      return { ...unknownClient(clientId), ...(JSON.parse(known ?? '{}') as Partial<ClientDetails>) };
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      return undefined;
    }
  }

  #key(backend: string): string {
    return `opsen:${this.#pool}:${backend}`;
  }
}
