import type { Dimension, Resources, StoreStep } from '@usher/domain';

/**
 * Reservations of backends' resources, shared by all gateways. Every call is one step for the whole fleet: of many
 * gateways that want the last slot exactly one gets it.
 *
 * An allocation is there from `reserve` until it is released, or swept after it has expired: when its own time is over,
 * or when the lease of the gateway that owns it ran out. Being over changes nothing by itself; some later call sweeps,
 * and tells what it gave back.
 *
 * A pool belongs to a run of the store, which begins empty: after the store was started, and whenever it may have lost
 * anything. It is closed until the gateways have told what they hold: it opens when all of them have, or after the lease
 * of those that have not must have run out. A gateway that has not told, or whose lease was swept, is unknown to it.
 *
 * What a gateway sent before it told anew and arrives afterwards, by another connection or from an earlier life of it,
 * undoes nothing: each telling has a name, and reservations, renewals and the next telling say which they follow.
 *
 * Each run counts its changes, so that facts about them, told by several gateways in whatever order, can be put in the
 * order in which they happened.
 */
export interface Reservations {
  /**
   * Reserves on the first candidate that has room. The same allocation again, and the same session with the same tier,
   * get what they have for another `ttlMs`. A session whose backend is no candidate any more is moved in one step.
   */
  reserve(request: ReservationRequest): Promise<ReservationResult>;
  /** Gives back exactly what was reserved, once: those of the allocations that are there and are `owner`'s. */
  release(pool: string, owner: string, allocations: readonly string[]): Promise<readonly GivenBack[]>;
  /** Keeps a gateway known and allocations alive. */
  renew(request: RenewRequest): Promise<RenewResult>;
  /** Makes the store hold exactly what a gateway says it holds, room or not: it is in use already. */
  restore(request: RestoreRequest): Promise<RestoreResult>;
  /** Gives back up to `max` expired allocations. */
  sweep(pool: string, max: number): Promise<readonly GivenBack[]>;
  /** Everything of a pool at one moment. */
  list(pool: string): Promise<PoolReservations>;
}

export interface ReservationRequest {
  readonly pool: string;
  /** Chosen by the caller; repeating a call whose answer was lost is safe. */
  readonly allocation: string;
  /** The gateway; its lease begins by this if it has none, and lasts `leaseMs`. */
  readonly owner: string;
  /** The gateway's last `restore`. */
  readonly told: string;
  readonly leaseMs: number;
  readonly ttlMs: number;
  /** Whole amounts. */
  readonly resources: Resources;
  /** Best first. */
  readonly candidates: readonly ReservationCandidate[];
  readonly session?: Session | undefined;
}

export interface ReservationCandidate {
  readonly backend: string;
  /** What reservations may fill of it, those there are included. */
  readonly capacity: Resources;
  /** Most allocations on it at a time; 0 = no limit. */
  readonly max: number;
}

/** Requests of one client that share one allocation for each tier. */
export interface Session {
  readonly id: string;
  readonly tier: string;
}

export type ReservationResult =
  | {
      readonly outcome: 'reserved';
      readonly allocation: string;
      readonly backend: string;
      /** What was reserved, which is not what was asked for when it was there before. */
      readonly resources: Resources;
      readonly expiresAtMs: number;
      /** It was there before this call. */
      readonly known: boolean;
      /** When it became this gateway's. */
      readonly at: StoreStep;
      /** Where the session's allocation was, which was given back. */
      readonly movedFrom?: GivenBack | undefined;
      readonly expired: readonly GivenBack[];
    }
  | {
      readonly outcome: 'full';
      /** What each candidate, in order, has too little of. */
      readonly short: readonly (Dimension | 'max')[];
      readonly expired: readonly GivenBack[];
    }
  /** The store does not know for sure what this gateway holds, or `told` is not the last it took: restore first. */
  | { readonly outcome: 'unknown' }
  /** Other gateways have not told yet what they hold. */
  | { readonly outcome: 'restoring'; readonly opensInMs: number };

export interface GivenBack {
  readonly allocation: string;
  readonly backend: string;
  readonly at: StoreStep;
}

export interface RenewRequest {
  readonly pool: string;
  readonly owner: string;
  /** The gateway's last `restore`. */
  readonly told: string;
  /** Its lease lasts so long from now on. */
  readonly leaseMs: number;
  /** These last `ttlMs` from now on at least, whoever owns them. */
  readonly allocations: readonly string[];
  readonly ttlMs: number;
}

/** `unknown`: as with a reservation, so restore. `missing`: what was given back. */
export type RenewResult =
  | { readonly outcome: 'unknown' }
  | { readonly outcome: 'renewed'; readonly missing: readonly string[] };

export interface RestoreRequest {
  readonly pool: string;
  readonly owner: string;
  /** Names this call; never the same twice. */
  readonly told: string;
  /** The last one that the store took, as far as the gateway has heard; empty = it has heard of none. */
  readonly after: string;
  readonly leaseMs: number;
  /** All that the gateway holds. */
  readonly allocations: readonly RestoredAllocation[];
  /** Allocations whose `reserve` has not been answered: they stay if they are there. */
  readonly underWay: readonly string[];
  /** All gateways of the fleet, this one included; when each has restored, the pool opens. */
  readonly gateways: readonly string[];
}

export interface RestoredAllocation {
  readonly allocation: string;
  readonly backend: string;
  readonly resources: Resources;
  readonly ttlMs: number;
  readonly session?: Session | undefined;
}

export type RestoreResult =
  | Restored
  /** Nothing was done, because the last one that the store took is not `after` but `told`: repeat if the call was meant. */
  | { readonly outcome: 'late'; readonly told: string };

export interface Restored {
  readonly outcome: 'restored';
  /** After this time at the latest `reserve` works; 0 = it does now. */
  readonly opensInMs: number;
  /** What the store had in this gateway's name and the gateway did not name. */
  readonly givenBack: readonly GivenBack[];
  /** What the store did not have. */
  readonly added: readonly { readonly allocation: string; readonly at: StoreStep }[];
}

export interface HeldAllocation {
  readonly allocation: string;
  readonly backend: string;
  readonly owner: string;
  readonly resources: Resources;
  readonly expiresAtMs: number;
  readonly session?: Session | undefined;
}

export interface PoolReservations {
  readonly allocations: readonly HeldAllocation[];
  /** What is reserved of each backend that has any allocation, as the store counts it. */
  readonly used: ReadonlyMap<string, { readonly resources: Resources; readonly allocations: number }>;
}
