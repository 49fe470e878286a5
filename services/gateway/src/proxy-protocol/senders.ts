import { trustOf } from '../plugin-lane/forwarded.ts';

/** Whose connections to one listener begin with a header of the PROXY protocol. */
export class ProxySenders {
  private readonly includesAddress: (address: string) => boolean;

  /** `networks` in CIDR notation; empty = everybody. */
  constructor(networks: readonly string[]) {
    this.includesAddress = networks.length === 0 ? () => true : trustOf(networks);
  }

  include(address: string): boolean {
    return this.includesAddress(address);
  }
}
