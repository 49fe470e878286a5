import type { ErrorCode, Features } from '@usher/domain';
import type { BackendSlot, Hold } from './routing-table.ts';

/** A request that waits until a backend has room. */
export interface Waiter {
  readonly features: Features;
  /** A backend has room, and the request has been begun on it. */
  admitted(slot: BackendSlot): void;
  /** No backend is left for which waiting makes sense. */
  turnedAway(): void;
}

/** Where a waiter stands. */
export interface Place {
  readonly waiter: Waiter;
}

/** How a wait ended; `refused`: it never began, because too many were waiting. */
export type LineExit = 'served' | 'timeout' | 'left' | 'refused' | 'no_backend';

export interface LineCounts {
  /** In this worker, now. */
  readonly waiting: number;
  readonly exits: Readonly<Record<LineExit, number>>;
  /** Waits that ended with being served, by their length: one cell for each bound of latencies and one above. */
  readonly waits: readonly number[];
  readonly waitSumMs: number;
}

/** Those who wait for a pool whose backends are at their limits, in order of arrival. */
export interface Line {
  /** Somebody waits, in whichever worker. */
  readonly busy: boolean;
  readonly counts: LineCounts;
  /** Undefined when `max` requests of the gateway wait already. The caller calls `serve` once it knows its place. */
  enter(waiter: Waiter, max: number): Place | undefined;
  /** Which share of `max` places is taken, in all workers. */
  taken(max: number): number;
  /** Whether `enter` would give a place now. */
  hasPlace(max: number): boolean;
  /** For a waiter that gives up. */
  leave(place: Place, exit: LineExit): void;
  /** To be told by a waiter that was admitted. */
  waited(ms: number): void;
  /** Lets in whom there is room for. To be called whenever there may be more room than before. */
  serve(): void;
}

/** A request that could not be begun on a backend at once. */
export interface Guest {
  /** A backend has room now, and the request was begun on it. `reserved`: what was reserved for it there, to be released after the attempt. */
  onRoom(slot: BackendSlot, reserved?: Hold): void;
  onNoRoom(code: ErrorCode, detail: string): void;
}

/** What a request waits for before it can be begun on a backend. Tells its guest exactly once how it ended, unless that leaves. */
export interface Wait {
  /** It is over so soon that who has stopped sending is waited for. */
  readonly brief: boolean;
  /** When `expire` is to be called. */
  readonly dueMs: number;
  /** Starts to wait. The guest may hear at once. */
  begin(): void;
  /** The guest is gone. */
  leave(): void;
  /** The time is over. */
  expire(): void;
}
