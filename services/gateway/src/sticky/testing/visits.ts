import { parseRequestHead, RequestHead } from '@usher/http1';
import type { PoolTable } from '../../routing-table.ts';
import { policy } from '../../testing/fixtures.ts';
import { type Peer, PeerDirectory } from '../../wire/peer.ts';
import type { Visit } from '../sticky.ts';

/** A head of a request with these header lines, each with its CRLF. */
function headWith(lines: string): RequestHead {
  const bytes = Buffer.from(`GET /x HTTP/1.1\r\nHost: any\r\n${lines}\r\n`, 'latin1');
  const head = new RequestHead();
  if (parseRequestHead(bytes, bytes.length, policy().limits, head) !== bytes.length)
    throw new Error(`no head: ${lines}`);
  return head;
}

const PEERS = new PeerDirectory();

export function peerAt(address: string, changes: Partial<Peer> = {}): Peer {
  return { address, trusted: false, scheme: 'http', ...changes };
}

/** The visit of a request with these header lines. */
export function visit(pool: PoolTable, lines: string, peer = peerAt('10.0.0.1')): Visit | undefined {
  return pool.sticky?.visitHead(headWith(lines), peer, PEERS);
}
