import { isIPv6 } from 'node:net';
import { isToken } from '@usher/http1';
import type { Peer } from './peer.ts';

const TOKEN_LENGTH_MAX = 256;
/** Elements of RFC 7239 section 4 as far as what follows them depends on it: every quoted string ends. */
const COMPLETE = /^(?:[^"]|"(?:[^"\\]|\\.)*")*$/;

/**
 * A trusted peer's `Forwarded` (RFC 7239) with one element more, for the peer itself. `before` goes unchanged, unless it ends
 * inside a quoted string: that would swallow ours, so ours then stands alone.
 */
export function appendForwarded(before: string, peer: Peer, authority: string): string {
  const address = peer.address.split('%', 1)[0]!;
  const node = isIPv6(address) ? `"[${address}]"` : address;
  // An authority has no quote and no backslash.
  const host = isToken(authority, TOKEN_LENGTH_MAX) ? authority : `"${authority}"`;
  const own = `for=${node}${authority === '' ? '' : `;host=${host}`};proto=${peer.scheme}`;
  return before !== '' && COMPLETE.test(before) ? `${before}, ${own}` : own;
}
