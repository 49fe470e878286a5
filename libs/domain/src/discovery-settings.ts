/** How often what is found is looked for again: when it says itself that it is old, but within these bounds. */
interface Refresh {
  readonly refreshMinMs: number;
  readonly refreshMaxMs: number;
}

interface ByName extends Refresh {
  /** Whether what is found is spoken to over TLS. */
  readonly tls: boolean;
  readonly name: string;
  /** Name servers as `10.0.0.2:53`, `[fd00::1]:53`; absent = those of the machine that looks. */
  readonly servers?: readonly string[] | undefined;
}

/** Where a pool's backends are looked for, beside those that are declared. */
export type DiscoverySettings =
  /** Every address of a name is a backend. */
  | ({ readonly by: 'dns'; readonly port: number } & ByName)
  /** Every target of the name's SRV records (RFC 2782) is a backend, or several, one for each of its addresses. */
  | ({ readonly by: 'srv' } & ByName)
  /** An absolute path on the machine of each scheduler. */
  | { readonly by: 'file'; readonly file: string };

/** What a pool's discovery says of its backends by itself; all else is for operators to say. */
export const DISCOVERED_KEYS = {
  dns: ['url'],
  srv: ['url', 'weight', 'priority'],
  file: ['url', 'endpoints', 'weight', 'priority', 'zone', 'place', 'maxConnections', 'capacity'],
} as const satisfies Record<DiscoverySettings['by'], readonly string[]>;

/** Lowest, and largest number, of the priorities of a backend. */
export const PRIORITY_MAX = 65_535;
