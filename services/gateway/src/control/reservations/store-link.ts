import type {
  Clock,
  Random,
  Reservations,
  Restored,
  RestoreRequest,
  RestoreResult,
  StateStore,
  Timer,
} from '@usher/ports';
import { StoreUnavailableError } from '@usher/ports';

/** How long the store keeps what a gateway holds that is not heard of any more. */
export const LEASE_MS = 10_000;
/** How often a store that is away, or closed, is told again; up to as long again by chance. */
const TELL_AGAIN_MS = 150;

/** What reservations need of the state store. */
export type ReservationStore = Pick<StateStore, 'reservations' | 'status' | 'onStatus'>;

/** What a gateway holds of a pool, as the store has to know it. */
type Holdings = Pick<RestoreRequest, 'allocations' | 'underWay' | 'gateways'>;

export interface StoreLinkOptions {
  readonly pool: string;
  readonly owner: string;
  readonly store: ReservationStore;
  readonly clock: Clock;
  readonly random: Random;
  holdings(): Holdings;
  /** The store holds now what it was told. */
  onTold(result: Restored): void;
  /** Reservations work from now on, or do not any more. */
  onChange(): void;
}

/**
 * `telling`: the store was not told yet what this gateway holds. `open`: it reserves. `restoring`: it waits for other
 * gateways. `away`: it does not answer.
 */
export type LinkState = 'telling' | 'open' | 'restoring' | 'away';

/** Keeps the store knowing what a gateway holds of one pool, and knows whether the store reserves. */
export class StoreLink {
  readonly #options: StoreLinkOptions;
  #told = '';
  #state: LinkState = 'telling';
  #telling: Promise<void> | undefined;
  #again = false;
  #retry: Timer | undefined;
  #closed = false;

  constructor(options: StoreLinkOptions) {
    this.#options = options;
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Whether it makes sense to give something back: the store answers, or is just being told of it. */
  get reaches(): boolean {
    return this.#state !== 'away' || this.#telling !== undefined;
  }

  /** Names the last time that the store was told, as far as it has answered; empty = it has not yet. */
  get told(): string {
    return this.#told;
  }

  /** Resolves when it is known whether the store reserves. */
  async ready(): Promise<void> {
    if (this.#state === 'telling' || this.#state === 'open') await this.#telling;
  }

  /** Tells the store what this gateway holds. Resolves when it has answered or failed to. */
  tell(): Promise<void> {
    if (this.#telling !== undefined) this.#again = true;
    this.#telling ??= this.#tellAll().finally(() => {
      this.#telling = undefined;
    });
    return this.#telling;
  }

  /**
   * Runs a call of the store that may be repeated, which it is once where an answer is missing: one that is late is not a
   * store that is away. Undefined when it did not answer, and then it is away.
   */
  async call<T>(ask: (store: Reservations) => Promise<T>): Promise<T | undefined> {
    const { store } = this.#options;
    const answer = await answerOf(() => ask(store.reservations));
    if (answer !== undefined) return answer;
    const second = store.status().connected ? await answerOf(() => ask(store.reservations)) : undefined;
    if (second === undefined) this.#enter('away');
    return second;
  }

  /** It said that others have not told yet what they hold. */
  waitForOthers(): void {
    this.#enter('restoring');
  }

  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
  }

  async #tellAll(): Promise<void> {
    do {
      this.#again = false;
      const result = await this.call((store) => this.#restore(store));
      if (result === undefined || this.#closed) return;
      if (result.outcome === 'late') {
        this.#again = true;
        continue;
      }
      this.#options.onTold(result);
      this.#enter(result.opensInMs > 0 ? 'restoring' : 'open');
    } while (this.#again);
  }

  /** Each attempt has a name of its own: of two that are under way the store takes one. */
  async #restore(store: Reservations): Promise<RestoreResult> {
    const { pool, owner, random } = this.#options;
    const told = random.uuid();
    const lease = { pool, owner, leaseMs: LEASE_MS };
    const result = await store.restore({ ...lease, told, after: this.#told, ...this.#options.holdings() });
    this.#told = result.outcome === 'late' ? result.told : told;
    return result;
  }

  #enter(state: LinkState): void {
    if (state === 'open') this.#retry?.cancel();
    if (state === 'open') this.#retry = undefined;
    else this.#tellLater();
    if (state === this.#state) return;
    this.#state = state;
    this.#options.onChange();
  }

  #tellLater(): void {
    if (this.#closed || this.#retry !== undefined) return;
    const { clock, random } = this.#options;
    this.#retry = clock.after(TELL_AGAIN_MS * (1 + random.next()), () => {
      this.#retry = undefined;
      void this.tell();
    });
  }
}

async function answerOf<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    return undefined;
  }
}
