import type { BackendState } from '@usher/domain';
import { type ServiceContext, StoreUnavailableError } from '@usher/ports';
import type { ClientDetails } from './registration.ts';

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

  /** The backends of the pool, but for those that only finish what they have before they are gone. */
  backends(): BackendState[] {
    return [...this.#context.fleet.state.backends.values()].filter(
      ({ settings, removing }) => settings.pool === this.#pool && !removing,
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

  async details(backend: string): Promise<ClientDetails> {
    try {
      const known = await this.#context.store.get(this.#key(backend));
      if (known !== undefined) return JSON.parse(known) as ClientDetails;
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
    }
    return { clientId: backend, hostname: backend, country: '', city: '', gpuModels: [] };
  }

  #key(backend: string): string {
    return `opsen:${this.#pool}:${backend}`;
  }
}
