import { isIPv6 } from 'node:net';
import { networkOf } from '@usher/domain';

/** How many connections each client address has open. An IPv6 client is its /64 network: it has all the addresses of that. */
export class ClientCensus {
  private readonly counts = new Map<string, number>();

  /** Counts one more connection unless there are `max`. Answers with what `leave` needs, undefined when it is one too many. */
  enter(address: string, max: number): string | undefined {
    const client = isIPv6(address) ? networkOf(address) : address;
    const count = this.counts.get(client) ?? 0;
    if (count >= max) return undefined;
    this.counts.set(client, count + 1);
    return client;
  }

  leave(client: string): void {
    const count = (this.counts.get(client) ?? 0) - 1;
    if (count > 0) this.counts.set(client, count);
    else this.counts.delete(client);
  }
}
