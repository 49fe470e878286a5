import { networkOf } from '@usher/domain';

const KNOWN_MAX = 4096;

/** What stands for a client's address: that itself, and of IPv6 the network, in which a client has all addresses. */
export class Networks {
  readonly #known = new Map<string, string>();

  of(address: string): string {
    if (!address.includes(':')) return address;
    let network = this.#known.get(address);
    if (network === undefined) {
      if (this.#known.size >= KNOWN_MAX) this.#known.clear();
      this.#known.set(address, (network = networkOf(address)));
    }
    return network;
  }
}
