import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, isIP, isIPv6 } from 'node:net';

/** What a caller of the admin API may do; each of these roles may do what those before it may. */
const ROLES = ['read', 'operate', 'admin'] as const;
/** An `agent` speaks for one backend and may do nothing else. */
export type AdminRole = (typeof ROLES)[number] | 'agent';

export interface AdminToken {
  readonly name: string;
  readonly secret: string;
  readonly role: AdminRole;
  /** The backend that an `agent` speaks for; nothing for others. */
  readonly backend?: string | undefined;
}

/** Who a caller is: the name of the token it showed. */
export interface AdminIdentity {
  readonly name: string;
  readonly role: AdminRole;
  readonly backend?: string | undefined;
}

/** Who everybody is when no tokens are configured, which loopback addresses may do. */
const LOCAL: AdminIdentity = { name: 'local', role: 'admin' };

/** Whether a caller may do what needs a role. What needs `agent` is about one backend, and operators may do it too. */
export function allows(identity: AdminIdentity, needed: AdminRole, backend: string | undefined): boolean {
  const { role } = identity;
  if (role === 'agent') return needed === 'agent' && backend !== undefined && identity.backend === backend;
  return ROLES.indexOf(role) >= ROLES.indexOf(needed === 'agent' ? 'operate' : needed);
}

/** Answers who sent an Authorization header (RFC 6750 section 2.1), or undefined for nobody we know. */
export function authenticator(
  tokens: readonly AdminToken[],
): (header: string | undefined) => AdminIdentity | undefined {
  if (tokens.length === 0) return () => LOCAL;
  const whose = secretFinder(tokens.map(({ secret, ...identity }) => ({ secret, whose: identity })));
  return (header) => {
    const shown = /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1];
    return shown === undefined ? undefined : whose(shown);
  };
}

/** Answers whose secret it is that was shown, undefined for nobody's. The time that it takes tells nothing about any. */
export function secretFinder<T>(
  secrets: readonly { readonly secret: string; readonly whose: T }[],
): (shown: string) => T | undefined {
  const known = secrets.map(({ secret, whose }) => ({ whose, hash: sha256(secret) }));
  return (shown) => {
    const hash = sha256(shown);
    // Every secret is compared, whole, whichever fits.
    let found: T | undefined;
    for (const each of known) if (timingSafeEqual(each.hash, hash)) found = each.whose;
    return found;
  };
}

/** Equal lengths for `timingSafeEqual`, and no secret is kept in memory longer than needed. */
function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Answers whether an address is in one of the networks, given in CIDR notation or as single addresses. Throws on others. */
export function networkList(networks: readonly string[]): (address: string | undefined) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (isIP(address) === 0) throw new Error(`${network} is not a network in CIDR notation`);
    list.addSubnet(address, prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix), family);
  }
  return (address) => {
    const plain = address?.split('%', 1)[0];
    // The list knows IPv4 addresses in their IPv6 form, as a dual-stack socket reports them.
    return plain !== undefined && isIP(plain) !== 0 && list.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
  };
}

const LOOPBACK = networkList(['127.0.0.0/8', '::1']);

/** Whether a host, with or without a port, is this machine by a name that no DNS server can give to somebody else. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return name.toLowerCase() === 'localhost' || LOOPBACK(name) || LOOPBACK(host);
}
