import { isIPv6 } from 'node:net';

const GROUPS_OF_64_BITS = 4;

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

/** The first four groups of an IPv6 address, without leading zeros. */
export function networkOf(address: string): string {
  const [head = '', tail] = address.split('%', 1)[0]!.toLowerCase().split('::');
  const groups = groupsOf(head);
  if (tail !== undefined) {
    const behind = groupsOf(tail);
    while (groups.length + behind.length < 8) groups.push('0');
    groups.push(...behind);
  }
  return groups
    .slice(0, GROUPS_OF_64_BITS)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

/** A dotted quad stands for two groups, which lie behind the first four. */
function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
}
