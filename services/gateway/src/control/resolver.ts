import { lookup } from 'node:dns/promises';

/** Finds the addresses of host names. */
export interface Resolver {
  /** All addresses of a host, best first. Rejects when there are none. */
  lookup(host: string): Promise<readonly string[]>;
}

/** As the system does it, /etc/hosts and all. */
export const systemResolver: Resolver = {
  async lookup(host) {
    const found = await lookup(host, { all: true, order: 'verbatim' });
    return found.map(({ address }) => address);
  },
};
