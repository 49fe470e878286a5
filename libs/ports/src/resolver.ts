/** An address that a name has. */
export interface ResolvedAddress {
  readonly address: string;
  /** For how long that holds, by the name server. */
  readonly ttlMs: number;
}

/** An SRV record (RFC 2782). */
export interface ServiceRecord {
  readonly target: string;
  readonly port: number;
  /** Targets with the least number come first; the others stand in for them. */
  readonly priority: number;
  /** Share among the targets of one priority. */
  readonly weight: number;
}

/**
 * Asks name servers, as `10.0.0.2:53`, or where none are given those of the machine. Both reject when the name does not
 * exist, or nobody answers that knows it; they settle within some seconds.
 */
export interface Resolver {
  /** The IPv4 or the IPv6 addresses of a name; empty when it has none of them. */
  addresses(name: string, family: 4 | 6, servers?: readonly string[]): Promise<readonly ResolvedAddress[]>;
  /** The SRV records of a name; empty when it has none. */
  services(name: string, servers?: readonly string[]): Promise<readonly ServiceRecord[]>;
}
