import type { Targets } from '@usher/runtime';

/** After a connection to an address failed, the others are preferred for this long. */
const SHUN_MS = 10_000;

/** One address of a host. */
export class Address {
  readonly ip: string;
  /** The host has it no more: connections to it are not used for another request. */
  gone = false;
  private shunnedUntilMs = 0;

  constructor(ip: string) {
    this.ip = ip;
  }

  isShunned(nowMs: number): boolean {
    return nowMs < this.shunnedUntilMs;
  }

  /** A connection to it failed. */
  shun(nowMs: number): void {
    this.shunnedUntilMs = nowMs + SHUN_MS;
  }
}

/** The addresses of a host, as far as they are known. Connections go to all of them in turn. */
export class Addresses {
  /** The name, where there is something to resolve. */
  readonly name: string | undefined;
  all: readonly Address[] = [];
  /** Changes whenever an address went, so that what was connected before can be told from what is connected now. */
  generation = 0;
  private cursor = 0;

  private constructor(name: string | undefined) {
    this.name = name;
  }

  /** Of a host name; none is known yet. */
  static of(name: string): Addresses {
    return new Addresses(name);
  }

  /** Of a host that is an address itself. */
  static fixed(ip: string): Addresses {
    const addresses = new Addresses(undefined);
    addresses.all = [new Address(ip)];
    return addresses;
  }

  /** Of a time limit, what each address gets, so that all of them together take no longer than that. */
  share(limitMs: number): number {
    return limitMs / Math.max(1, this.all.length);
  }

  /** Takes up what the name resolves to now. */
  set(ips: readonly string[]): void {
    const before = new Map(this.all.map((address) => [address.ip, address]));
    this.all = ips.map((ip) => before.get(ip) ?? new Address(ip));
    for (const address of before.values()) {
      if (this.all.includes(address)) continue;
      address.gone = true;
      this.generation += 1;
    }
  }

  /** Where the next connection goes; undefined when no address is known. */
  next(nowMs: number): Address | undefined {
    const { all } = this;
    const start = this.cursor;
    for (let step = 0; step < all.length; step++) {
      const at = (start + step) % all.length;
      if (all[at]?.isShunned(nowMs) === true) continue;
      this.cursor = at + 1;
      return all[at];
    }
    // All of them failed a moment ago, and one of them may be back.
    this.cursor = start + 1;
    return all[start % all.length];
  }
}

/** Whose names lead only to some addresses. */
interface Guard {
  readonly targets: Pick<Targets, 'allowsAddress'>;
}

/** A host name with what it resolves to, as a whole and as far as each guard lets it. */
interface Host {
  ips: readonly string[];
  readonly seen: Map<Guard | undefined, Addresses>;
}

/** All host names that there are or were, each with its addresses. */
export class Hosts {
  private readonly known = new Map<string, Host>();

  /** Addresses of a name; with a guard, those that it allows. */
  of(name: string, guard?: Guard): Addresses {
    const host = this.hostOf(name);
    let addresses = host.seen.get(guard);
    if (addresses === undefined) {
      addresses = Addresses.of(name);
      addresses.set(allowed(host.ips, guard));
      host.seen.set(guard, addresses);
    }
    return addresses;
  }

  /** Takes up what a name resolves to now. */
  set(name: string, ips: readonly string[]): ReadonlySet<Addresses> {
    const host = this.hostOf(name);
    host.ips = ips;
    for (const [guard, addresses] of host.seen) addresses.set(allowed(ips, guard));
    return new Set(host.seen.values());
  }

  /** Takes up what a guard allows now. */
  recheck(guard: Guard): void {
    for (const { ips, seen } of this.known.values()) seen.get(guard)?.set(allowed(ips, guard));
  }

  private hostOf(name: string): Host {
    let host = this.known.get(name);
    if (host === undefined) this.known.set(name, (host = { ips: [], seen: new Map() }));
    return host;
  }
}

function allowed(ips: readonly string[], guard: Guard | undefined): readonly string[] {
  return guard === undefined ? ips : ips.filter((ip) => guard.targets.allowsAddress(ip));
}
