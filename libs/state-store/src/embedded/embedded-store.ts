import type { Clock, Lease, LeaseResult, StateStore, StoreStatus } from '@usher/ports';
import { EmbeddedRates } from './embedded-rates.ts';
import { EmbeddedReservations } from './embedded-reservations.ts';
import { EmbeddedSticky } from './embedded-sticky.ts';

/** How often entries that nobody asked for again are dropped. */
const SWEEP_EVERY_MS = 30_000;

interface Entry {
  readonly value: string;
  readonly expiresAtMs: number;
}

/**
 * The state store of a single process: in memory, gone with the process. Nothing in it is worth a disk: leases of a
 * process that died are free, and what else lives here is rebuilt from the event log or from the next request.
 */
export function openEmbeddedStore(options: { readonly clock: Clock }): StateStore {
  return new EmbeddedStore(options.clock);
}

class EmbeddedStore implements StateStore {
  readonly reservations: EmbeddedReservations;
  readonly sticky: EmbeddedSticky;
  readonly rates: EmbeddedRates;
  readonly #clock: Clock;
  readonly #leases = new Map<string, Entry>();
  readonly #values = new Map<string, Entry>();
  readonly #status: StoreStatus;
  readonly #sweep: { cancel(): void };

  constructor(clock: Clock) {
    this.#clock = clock;
    this.reservations = new EmbeddedReservations(clock);
    this.sticky = new EmbeddedSticky(clock);
    this.rates = new EmbeddedRates(clock);
    this.#status = { connected: true, sinceMs: clock.now() };
    this.#sweep = clock.every(SWEEP_EVERY_MS, () => {
      dropExpired(this.#leases, clock.steady());
      dropExpired(this.#values, clock.steady());
      this.sticky.dropExpired();
      this.rates.dropFull();
    });
  }

  async acquireLease(name: string, owner: string, ttlMs: number): Promise<LeaseResult> {
    const holder = this.#live(this.#leases, name);
    if (holder !== undefined && holder !== owner) return { held: false, owner: holder };
    this.#put(this.#leases, name, owner, ttlMs);
    return { held: true, owner };
  }

  async releaseLease(name: string, owner: string): Promise<boolean> {
    return this.#live(this.#leases, name) === owner && this.#leases.delete(name);
  }

  async listLeases(prefix: string): Promise<readonly Lease[]> {
    const leases: Lease[] = [];
    for (const name of this.#leases.keys()) {
      const owner = name.startsWith(prefix) ? this.#live(this.#leases, name) : undefined;
      if (owner !== undefined) leases.push({ name, owner });
    }
    return leases;
  }

  async get(key: string): Promise<string | undefined> {
    return this.#live(this.#values, key);
  }

  async set(key: string, value: string, ttlMs: number): Promise<void> {
    this.#put(this.#values, key, value, ttlMs);
  }

  async setIfAbsent(key: string, value: string, ttlMs: number): Promise<string> {
    const present = this.#live(this.#values, key);
    if (present !== undefined) return present;
    this.#put(this.#values, key, value, ttlMs);
    return value;
  }

  async delete(key: string): Promise<boolean> {
    return this.#live(this.#values, key) !== undefined && this.#values.delete(key);
  }

  status(): StoreStatus {
    return this.#status;
  }

  /** Never calls back: a store in the same process is never away. */
  onStatus(): void {}

  async close(): Promise<void> {
    this.#sweep.cancel();
  }

  #live(entries: Map<string, Entry>, key: string): string | undefined {
    const entry = entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.expiresAtMs > this.#clock.steady()) return entry.value;
    entries.delete(key);
    return undefined;
  }

  #put(entries: Map<string, Entry>, key: string, value: string, ttlMs: number): void {
    entries.set(key, { value, expiresAtMs: this.#clock.steady() + ttlMs });
  }
}

function dropExpired(entries: Map<string, Entry>, nowMs: number): void {
  for (const [key, entry] of entries) if (entry.expiresAtMs <= nowMs) entries.delete(key);
}
