import { isIPv6 } from 'node:net';
import { networkOf } from '@usher/domain';
import type { Clock } from '@usher/ports';

/** What callers of the admin API may take. */
export interface AdminLimits {
  readonly bodyBytes: number;
  /** Open at once, of all callers and of one address. */
  readonly connections: number;
  readonly connectionsPerIp: number;
  /** Of one address; it may save up two seconds' worth. */
  readonly requestsPerS: number;
}

const BURST_S = 2;
/** Addresses that are remembered; of more, those that were heard of first are forgotten. */
const ADDRESSES_MAX = 10_000;

interface Bucket {
  left: number;
  atMs: number;
}

/** How many requests each address may still send. */
export class RequestRates {
  readonly #perS: number;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(perS: number, clock: Clock) {
    this.#perS = perS;
    this.#clock = clock;
  }

  /** Counts one more request. False: it is one too many. */
  take(address: string): boolean {
    const most = this.#perS * BURST_S;
    const nowMs = this.#clock.steady();
    const client = clientOf(address);
    const bucket = this.#buckets.get(client) ?? { left: most, atMs: nowMs };
    bucket.left = Math.min(most, bucket.left + ((nowMs - bucket.atMs) / 1000) * this.#perS);
    bucket.atMs = nowMs;
    this.#buckets.set(client, bucket);
    if (this.#buckets.size > ADDRESSES_MAX) this.#forgetFirst();
    if (bucket.left < 1) return false;
    bucket.left -= 1;
    return true;
  }

  #forgetFirst(): void {
    for (const first of this.#buckets.keys()) {
      this.#buckets.delete(first);
      return;
    }
  }
}

/** How many connections each address has open. */
export class OpenConnections {
  readonly #max: number;
  readonly #open = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Counts one more. False: it is one too many, and not counted. */
  enter(address: string): boolean {
    const client = clientOf(address);
    const open = this.#open.get(client) ?? 0;
    if (open >= this.#max) return false;
    this.#open.set(client, open + 1);
    return true;
  }

  leave(address: string): void {
    const client = clientOf(address);
    const open = (this.#open.get(client) ?? 0) - 1;
    if (open > 0) this.#open.set(client, open);
    else this.#open.delete(client);
  }
}

/** An IPv6 client has all the addresses of its network. */
function clientOf(address: string): string {
  return isIPv6(address) ? networkOf(address) : address;
}
