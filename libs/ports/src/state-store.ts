import type { RateBuckets } from './rate-buckets.ts';
import type { Reservations } from './reservations.ts';
import type { StickyAssignments } from './sticky-assignments.ts';

/**
 * Short-lived state that several processes share: leases, reservations, sticky assignments, rate limits and single values. Every
 * call answers within the store's command timeout or throws StoreUnavailableError. Drivers: embedded (one process), Redis.
 */
export interface StateStore {
  readonly reservations: Reservations;
  readonly sticky: StickyAssignments;
  readonly rates: RateBuckets;
  /** Takes the lease if it is free or already `owner`'s, and keeps it for `ttlMs` from now. */
  acquireLease(name: string, owner: string, ttlMs: number): Promise<LeaseResult>;
  /** Gives the lease up if it is `owner`'s. */
  releaseLease(name: string, owner: string): Promise<boolean>;
  /** Who holds each lease whose name starts with `prefix`. */
  listLeases(prefix: string): Promise<readonly Lease[]>;
  get(key: string): Promise<string | undefined>;
  /** Sets a value that disappears after `ttlMs`. */
  set(key: string, value: string, ttlMs: number): Promise<void>;
  /** Sets a value only if the key has none; answers with the value that is there afterwards. */
  setIfAbsent(key: string, value: string, ttlMs: number): Promise<string>;
  delete(key: string): Promise<boolean>;
  status(): StoreStatus;
  onStatus(listener: (status: StoreStatus) => void): void;
  close(): Promise<void>;
}

export interface Lease {
  readonly name: string;
  readonly owner: string;
}

export interface LeaseResult {
  readonly held: boolean;
  /** Who holds it now. */
  readonly owner: string;
}

export interface StoreStatus {
  readonly connected: boolean;
  readonly sinceMs: number;
}

/** The store did not answer in time or cannot be reached; whether a write happened is unknown. */
export class StoreUnavailableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreUnavailableError';
  }
}
