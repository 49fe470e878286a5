import type { Features } from '@usher/domain';
import type { RateTicket } from '../rate/rate-ticket.ts';
import type {
  AttemptOutcome,
  BackendSlot,
  Endpoint,
  Hold,
  PoolTable,
  RoutingTable,
} from '../routing-table.ts';
import { visitOf } from '../sticky/sticky.ts';
import { endpointFor } from '../table/endpoints.ts';
import { answerWith, answerWithout } from '../table/slot-load.ts';
import type { HeaderEdits } from '../traffic/header-edits.ts';
import type { Guest, Wait } from '../waiting.ts';

const NONE_TRIED: readonly BackendSlot[] = [];

/** The attempts of one request: which backends it went to, and what is left. Tells the table of each begin and end once. */
export class Attempts {
  /** Where the present attempt goes; undefined between attempts and after the last. */
  slot: BackendSlot | undefined;
  /** Where its connections go. */
  endpoint: Endpoint | undefined;
  /** How many may follow the first. */
  left: number;
  /** What the answer says of the pool's panic, or empty. */
  panic = '';
  /** The rate limit that the request was held to. */
  rate: RateTicket | undefined;
  /** What the policy of its route changes in answers. */
  edits: HeaderEdits | undefined;
  private readonly table: RoutingTable;
  readonly pool: PoolTable;
  private readonly features: Features;
  private readonly request: { readonly path: string };
  /** What is reserved for the present attempt. */
  private reserved: Hold | undefined;
  /** The strategy knows how the present attempt was answered. */
  private heard = false;
  private startMs = 0;
  private addressesLeft = 0;
  private tried: BackendSlot[] | undefined;

  constructor(table: RoutingTable, pool: PoolTable, features: Features, request: { readonly path: string }) {
    this.table = table;
    this.pool = pool;
    this.features = features;
    this.request = request;
    this.left = pool.settings.retry.attempts;
  }

  /** Begins the first attempt; undefined when there is no backend, or none that has room. */
  first(nowMs: number): Endpoint | undefined {
    return this.begin(this.table.pick(this.pool, NONE_TRIED, this.features), nowMs);
  }

  /** How the request waits that cannot be begun at once. */
  wait(guest: Guest): Wait {
    return this.table.wait(this.pool, this.tried ?? NONE_TRIED, this.features, guest);
  }

  /** An attempt was begun on a backend for which the request had to wait. */
  admitted(slot: BackendSlot, nowMs: number, reserved?: Hold): Endpoint {
    this.reserved = reserved;
    this.slot = slot;
    this.heard = false;
    this.startMs = nowMs;
    const endpoint = endpointFor(slot, this.request);
    this.endpoint = endpoint;
    this.addressesLeft = endpoint.addresses.all.length;
    if (this.pool.sticky !== undefined) visitOf(this.features)?.began(slot);
    return endpoint;
  }

  /** Value of the Set-Cookie header that the answer has to have, or empty. */
  get setCookie(): string {
    return this.pool.sticky === undefined ? '' : (visitOf(this.features)?.setCookie() ?? '');
  }

  /** The attempt failed for want of a connection, and the backend has an address that was not tried in it. */
  hasOtherAddress(outcome: AttemptOutcome): boolean {
    if (outcome !== 'connect_failed' && outcome !== 'connect_timeout') return false;
    this.addressesLeft -= 1;
    return this.addressesLeft > 0;
  }

  /**
   * Begins another attempt on a backend that was not tried; undefined when there is none, or none that has room, or the
   * budget is used up. Only first attempts wait for room: who has failed once already does not keep others waiting.
   */
  another(nowMs: number): Endpoint | undefined {
    const slot = this.table.pick(this.pool, this.tried ?? NONE_TRIED, this.features);
    if (slot === undefined || !this.table.takeRetry(this.pool, nowMs)) return undefined;
    this.left -= 1;
    return this.begin(slot, nowMs);
  }

  /** Another attempt follows as soon as something is reserved for it; only where that is needed, and if the budget allows. */
  waitsForAnother(nowMs: number): boolean {
    if (!this.pool.reserves || !this.table.takeRetry(this.pool, nowMs)) return false;
    this.left -= 1;
    return true;
  }

  /** Something of the response came; `status` is 0 before its head. To be called each time, only the first counts. */
  answered(status: number, now: () => number): void {
    const { slot } = this;
    if (!this.pool.hears || this.heard || status === 0 || slot === undefined) return;
    this.heard = true;
    const nowMs = now();
    this.table.hear(slot, answerWith(status), this.tookMs(nowMs), nowMs);
  }

  /** Keeps what the present attempt has on its backend beyond its end. */
  hold(slot: BackendSlot): Hold {
    const { reserved } = this;
    this.reserved = undefined;
    return this.table.hold(slot, reserved);
  }

  /** Ends the present attempt, if there is one. */
  finish(outcome: AttemptOutcome, nowMs: number): void {
    const { slot } = this;
    if (slot === undefined) return;
    this.slot = undefined;
    this.endpoint = undefined;
    this.reserved?.release();
    this.reserved = undefined;
    if (this.pool.hears && !this.heard)
      this.table.hear(slot, answerWithout(outcome), this.tookMs(nowMs), nowMs);
    this.table.finish(this.pool, slot, outcome, this.tookMs(nowMs), nowMs);
  }

  /** Ends the present attempt; its backend gets no other one of this request. */
  fail(outcome: AttemptOutcome, nowMs: number): void {
    if (this.slot !== undefined) (this.tried ??= []).push(this.slot);
    this.finish(outcome, nowMs);
  }

  /** The worker's clock may have been set back meanwhile; an attempt that took less than no time is no fact. */
  private tookMs(nowMs: number): number {
    return Math.max(0, nowMs - this.startMs);
  }

  private begin(slot: BackendSlot | undefined, nowMs: number): Endpoint | undefined {
    if (slot === undefined || !this.table.begin(slot)) return undefined;
    return this.admitted(slot, nowMs);
  }
}
