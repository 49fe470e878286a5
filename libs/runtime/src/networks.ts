import { BlockList, isIP, isIPv6, SocketAddress } from 'node:net';

/** An IPv4 address in its IPv6 form (RFC 4291 section 2.5.5.2), as dual-stack sockets report them. */
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;
const MAPPED_PREFIX_BITS = 96;

/** An address in its one form: without a zone, and IPv4 as such. Undefined for what is none. */
export function plainAddress(text: string | undefined): string | undefined {
  const bare = text?.split('%', 1)[0];
  if (bare === undefined || isIP(bare) === 0) return undefined;
  if (!isIPv6(bare)) return bare;
  const { address } = new SocketAddress({ address: bare, family: 'ipv6' });
  return MAPPED.exec(address)?.[1] ?? address;
}

/**
 * Answers whether an address is in one of the networks, given in CIDR notation or as single addresses. An IPv4 address is the
 * same in its IPv6 form, and in no network of IPv6 addresses otherwise. Throws on what is no network.
 */
export function networkList(networks: readonly string[]): (address: string | undefined) => boolean {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const network of networks) {
    const [text = '', prefix, ...rest] = network.split('/');
    const address = plainAddress(text);
    if (address === undefined || rest.length > 0 || (prefix !== undefined && !/^\d{1,3}$/.test(prefix)))
      throw new Error(`${network} is not a network in CIDR notation`);
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    const longest = family === 'ipv6' ? 128 : 32;
    const shift = family === 'ipv4' && isIPv6(text) ? MAPPED_PREFIX_BITS : 0;
    lists[family].addSubnet(address, prefix === undefined ? longest : Number(prefix) - shift, family);
  }
  return (address) => {
    const plain = plainAddress(address);
    if (plain === undefined) return false;
    const family = isIPv6(plain) ? 'ipv6' : 'ipv4';
    return lists[family].check(plain, family);
  };
}

/**
 * Who sent a request: the peer, unless that is a trusted proxy, in whose X-Forwarded-For the last address that is not one
 * counts. Undefined when there stands something else than an address.
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
  isTrusted: (address: string) => boolean,
): string | undefined {
  const hops = forwardedFor === undefined ? [] : forwardedFor.split(',');
  let address = plainAddress(peer);
  while (address !== undefined && hops.length > 0 && isTrusted(address))
    address = plainAddress(hops.pop()?.trim());
  return address;
}

const LOOPBACK = networkList(['127.0.0.0/8', '::1']);

/** Whether a host, with or without a port, is this machine by a name that no DNS server can give to somebody else. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return name.toLowerCase() === 'localhost' || LOOPBACK(name) || LOOPBACK(host);
}
