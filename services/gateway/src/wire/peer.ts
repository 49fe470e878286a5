import { isIP } from 'node:net';
import { trustOf } from '../plugin-lane/forwarded.ts';

/** Who is at the other end of a client connection; worked out once per connection. */
export interface Peer {
  readonly address: string;
  /** It is a proxy whose X-Forwarded-* headers count. */
  readonly trusted: boolean;
  readonly scheme: 'http' | 'https';
  /** Id of the only request of its connection, where that has one already. */
  readonly requestId?: string;
}

const MAPPED = '::ffff:';

/** An IPv4 address as such, also where it came over an IPv6 socket. */
export function plainAddress(remote: string): string {
  return remote.startsWith(MAPPED) && remote.includes('.') ? remote.slice(MAPPED.length) : remote;
}

/** An address with a port, as some proxies write it into X-Forwarded-For; IPv6 in brackets then. */
const WITH_PORT = /^(?:\[([^\]]+)\](?::\d+)?|([\d.]+):\d+)$/;

function addressIn(hop: string): string {
  const [, v6, v4] = WITH_PORT.exec(hop) ?? [];
  return plainAddress(v6 ?? v4 ?? hop);
}

/** Knows the trusted networks of the policy in force; compiles them again only when they changed. */
export class PeerDirectory {
  private networks: readonly string[] = [];
  private isTrusted: (address: string) => boolean = () => false;

  /** `remote`: an address as a socket gives it. */
  describe(remote: string, scheme: Peer['scheme'], networks: readonly string[]): Peer {
    if (networks !== this.networks) {
      this.networks = networks;
      this.isTrusted = trustOf(networks);
    }
    const address = plainAddress(remote);
    const trusted = address !== '' && networks.length > 0 && this.isTrusted(address);
    return { address, trusted, scheme };
  }

  /**
   * Address of whom a request is for: the last one in X-Forwarded-For that is not a trusted proxy, as far as trusted
   * proxies wrote that list and it has addresses in it; else the peer's.
   */
  clientOf(peer: Peer, forwardedFor: string): string {
    let client = peer.address;
    if (!peer.trusted || forwardedFor === '') return client;
    for (const hop of forwardedFor.split(',').toReversed()) {
      const address = addressIn(hop.trim());
      if (isIP(address) === 0) break;
      client = address;
      if (!this.isTrusted(address)) break;
    }
    return client;
  }
}
