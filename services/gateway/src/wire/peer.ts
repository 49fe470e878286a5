import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { trustOf } from '../plugin-lane/forwarded.ts';

/** Who is at the other end of a client connection; worked out once per connection. */
export interface Peer {
  readonly address: string;
  /** It is a proxy whose X-Forwarded-* headers count. */
  readonly trusted: boolean;
  readonly scheme: 'http' | 'https';
}

const MAPPED = '::ffff:';

/** Knows the trusted networks of the policy in force; compiles them again only when they changed. */
export class PeerDirectory {
  private networks: readonly string[] = [];
  private isTrusted: (address: string) => boolean = () => false;

  describe(socket: Socket, networks: readonly string[]): Peer {
    if (networks !== this.networks) {
      this.networks = networks;
      this.isTrusted = trustOf(networks);
    }
    const remote = socket.remoteAddress ?? '';
    const address = remote.startsWith(MAPPED) ? remote.slice(MAPPED.length) : remote;
    const trusted = address !== '' && networks.length > 0 && this.isTrusted(address);
    return { address, trusted, scheme: socket instanceof TLSSocket ? 'https' : 'http' };
  }
}
