import type { Clock, Log, Timer } from '@usher/ports';
import type { TableDelta } from '../routing-table.ts';
import type { Resolver } from './resolver.ts';

/** How often a name is looked up again. */
const REFRESH_MS = 30_000;
/** How often a name of which no address is known is looked up. */
const RETRY_MS = 2_000;
/** How long a start waits for host names to resolve; requests for those that do not are answered with 503 meanwhile. */
export const RESOLVE_MAX_MS = 1_000;
/** After a failed connection a name is looked up at once, but no more often than this. */
const HURRY_MIN_MS = 1_000;
/**
 * Lookups block one of the few threads that also write files for this process, for many seconds when the name server does
 * not answer. So most of those threads are left alone.
 */
const LOOKUPS_AT_A_TIME_MAX = 2;

export interface ResolutionsOptions {
  readonly resolver: Resolver;
  readonly clock: Clock;
  readonly log: Log;
  /** What a name resolves to has changed; never called with no address at all. */
  readonly onChange: (host: string, addresses: readonly string[]) => void;
}

interface Entry {
  readonly host: string;
  addresses: readonly string[];
  /** The last lookup failed. */
  failing: boolean;
  lookingUp: boolean;
  lookedUpMs: number;
  timer: Timer | undefined;
}

/**
 * Keeps the addresses of host names up to date. A name that stops resolving keeps the addresses it had: a name server
 * that is down must not take the backends with it.
 */
export class Resolutions {
  readonly #options: ResolutionsOptions;
  readonly #entries = new Map<string, Entry>();
  /** Names that wait for their turn. */
  readonly #waiting = new Set<Entry>();
  #lookups = 0;
  #onSettled: (() => void)[] = [];

  constructor(options: ResolutionsOptions) {
    this.#options = options;
  }

  /** The names to follow from now on, and no others. */
  follow(hosts: ReadonlySet<string>): void {
    for (const [host, entry] of this.#entries) if (!hosts.has(host)) this.#drop(entry);
    for (const host of hosts) {
      if (this.#entries.has(host)) continue;
      const fresh = { addresses: [], failing: false, lookingUp: false, lookedUpMs: -Infinity };
      const entry: Entry = { host, ...fresh, timer: undefined };
      this.#entries.set(host, entry);
      this.#enqueue(entry);
    }
  }

  /** Every name with its addresses; none where it does not resolve. */
  get known(): ReadonlyMap<string, readonly string[]> {
    return new Map(Array.from(this.#entries, ([host, { addresses }]) => [host, addresses]));
  }

  /** Everything, for a worker that knows nothing. */
  snapshot(): TableDelta[] {
    return Array.from(this.known, ([host, addresses]) => ({ kind: 'addresses', host, addresses }));
  }

  /** A connection to a host failed: it may have moved. */
  hurry(host: string): void {
    const entry = this.#entries.get(host);
    if (entry === undefined || entry.lookingUp || this.#waiting.has(entry)) return;
    if (this.#options.clock.steady() - entry.lookedUpMs < HURRY_MIN_MS) return;
    entry.timer?.cancel();
    this.#enqueue(entry);
  }

  /** Resolves when every name has been looked up, or at the latest after `limitMs`. */
  settled(limitMs: number): Promise<void> {
    if (this.#isSettled) return Promise.resolve();
    return new Promise((resolve) => {
      const late = this.#options.clock.after(limitMs, resolve);
      this.#onSettled.push(() => {
        late.cancel();
        resolve();
      });
    });
  }

  stop(): void {
    for (const entry of this.#entries.values()) this.#drop(entry);
  }

  get #isSettled(): boolean {
    return this.#lookups === 0 && this.#waiting.size === 0;
  }

  #drop(entry: Entry): void {
    entry.timer?.cancel();
    this.#waiting.delete(entry);
    this.#entries.delete(entry.host);
  }

  #enqueue(entry: Entry): void {
    this.#waiting.add(entry);
    this.#next();
  }

  #next(): void {
    for (const entry of this.#waiting) {
      if (this.#lookups >= LOOKUPS_AT_A_TIME_MAX) return;
      this.#waiting.delete(entry);
      void this.#lookUp(entry);
    }
    if (!this.#isSettled) return;
    for (const tell of this.#onSettled.splice(0)) tell();
  }

  async #lookUp(entry: Entry): Promise<void> {
    const { resolver, clock } = this.#options;
    entry.lookingUp = true;
    this.#lookups += 1;
    try {
      const found = await resolver.lookup(entry.host);
      if (found.length === 0) throw new Error('it has no address');
      if (this.#isFollowed(entry)) this.#take(entry, found);
    } catch (error) {
      if (this.#isFollowed(entry)) this.#miss(entry, error as Error);
    }
    this.#lookups -= 1;
    entry.lookingUp = false;
    entry.lookedUpMs = clock.steady();
    if (this.#isFollowed(entry)) {
      const waitMs = entry.addresses.length === 0 ? RETRY_MS : REFRESH_MS;
      entry.timer = clock.after(waitMs, () => this.#enqueue(entry));
    }
    this.#next();
  }

  #isFollowed(entry: Entry): boolean {
    return this.#entries.get(entry.host) === entry;
  }

  #take(entry: Entry, found: readonly string[]): void {
    const { log, onChange } = this.#options;
    const { host } = entry;
    if (entry.failing) log.info('a host name resolves again', { host, addresses: found.join(', ') });
    entry.failing = false;
    // Name servers give addresses in another order each time.
    if (found.toSorted().join() === entry.addresses.toSorted().join()) return;
    entry.addresses = [...new Set(found)];
    onChange(host, entry.addresses);
  }

  #miss(entry: Entry, error: Error): void {
    const { host, addresses } = entry;
    if (entry.failing) return;
    entry.failing = true;
    const state =
      addresses.length === 0 ? 'its backends are down' : 'its backends stay at their last addresses';
    this.#options.log.warn(`a host name does not resolve; ${state}`, { host, cause: error.message });
  }
}
