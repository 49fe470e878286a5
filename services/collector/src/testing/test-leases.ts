import { type Clock, type StateStore, StoreUnavailableError } from '@usher/ports';
import { LEASES_ONLY } from '@usher/testing';

/** The leases and single values of a state store, which a test can take away. */
export class TestLeases {
  down = false;
  readonly store: StateStore;
  readonly #held = new Map<string, { owner: string; untilMs: number }>();

  constructor(clock: Clock) {
    const values = new Map<string, string>();
    this.store = {
      ...LEASES_ONLY,
      acquireLease: async (name, owner, ttlMs) => {
        this.#assertUp();
        const lease = this.#held.get(name);
        if (lease !== undefined && lease.owner !== owner && lease.untilMs > clock.now())
          return { held: false, owner: lease.owner };
        this.#held.set(name, { owner, untilMs: clock.now() + ttlMs });
        return { held: true, owner };
      },
      releaseLease: async (name, owner) => {
        this.#assertUp();
        return this.#held.get(name)?.owner === owner && this.#held.delete(name);
      },
      listLeases: unused,
      get: async (key) => {
        this.#assertUp();
        return values.get(key);
      },
      set: async (key, value) => {
        this.#assertUp();
        values.set(key, value);
      },
      setIfAbsent: unused,
      delete: unused,
      status: () => ({ connected: !this.down, sinceMs: 0 }),
      onStatus: () => undefined,
      close: async () => undefined,
    };
  }

  #assertUp(): void {
    if (this.down) throw new StoreUnavailableError('the store is down');
  }
}

const unused = (): Promise<never> => Promise.reject(new Error('not used'));
