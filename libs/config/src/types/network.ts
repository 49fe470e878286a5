import { hostKind } from '@usher/domain';
import ipaddr from 'ipaddr.js';
import type { Address } from '../settings.ts';
import { measure, text } from './scalar.ts';
import { Refusal, refuse, type Type } from './type.ts';

// Underscores are no part of host names by RFC 1123, but container networks give such names.
const HOST_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/;
const PORT_MAX = 65_535;
/** What `:8080` listens on. */
export const EVERY_HOST = '0.0.0.0';
const NAME_SERVER_PORT = 53;

/** An address to listen on. Port 0 is any free port. */
export const listenAddress: Type<Address> = measure({
  expects: 'an address such as 0.0.0.0:8080, [::1]:8080 or :8080',
  jsonSchema: { pattern: '^([^:\\s]*|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5}$' },
  standIn: { host: EVERY_HOST, port: 0 },
  parse: parseAddress,
});

/** A network in CIDR notation, normalised. */
export const network: Type<string> = text({
  expects: 'a network such as 10.0.0.0/8 or fd00::/8',
  standIn: '0.0.0.0/0',
  parse: parseNetwork,
});

/** A host name, in lower case. */
export const hostName: Type<string> = text({
  expects: 'a host name such as api.example.com',
  standIn: 'unnamed.invalid',
  parse: (written) =>
    isHost(written) && !/^[0-9.]+$/.test(written)
      ? written.toLowerCase()
      : refuse(`${JSON.stringify(written)} is not a host name such as api.example.com`),
});

/** A name server by its address; the port is 53 unless written. */
export const nameServer: Type<string> = text({
  expects: 'the address of a name server such as 10.0.0.2, 10.0.0.2:5353 or [fd00::2]:53',
  standIn: '127.0.0.1:53',
  parse(written) {
    const bare = ipaddr.isValid(written) ? written : undefined;
    const address = bare === undefined ? parseAddress(written) : { host: bare, port: NAME_SERVER_PORT };
    const valid = !(address instanceof Refusal) && address.port > 0 && ipaddr.isValid(address.host);
    return valid && written !== `:${address.port}`
      ? formatAddress(address)
      : refuse(`${JSON.stringify(written)} is not the address of a name server such as 10.0.0.2:53`);
  },
});

/** Reads `host:port`, `[v6]:port` and `:port`. */
export function parseAddress(written: string): Address | Refusal {
  const match = /^(?:\[([^[\]]*)\]|([^[\]]*)):([0-9]{1,5})$/.exec(written);
  if (match === null)
    return refuse(`${JSON.stringify(written)} is not an address such as 0.0.0.0:8080`, addressMeant(written));
  const [, bracketed, bare = '', digits = ''] = match;
  const port = Number(digits);
  if (port > PORT_MAX) return refuse(`the port ${digits} is above ${PORT_MAX}`);
  if (bracketed !== undefined) {
    if (!ipaddr.IPv6.isValid(bracketed)) return refuse(`${JSON.stringify(bracketed)} is not an IPv6 address`);
    return { host: bracketed.toLowerCase(), port };
  }
  if (bare === '') return { host: EVERY_HOST, port };
  if (bare.includes(':')) return refuse('an IPv6 address stands in brackets', `[${bare}]:${digits}`);
  return isHost(bare)
    ? { host: bare.toLowerCase(), port }
    : refuse(`${JSON.stringify(bare)} is neither an IP address nor a host name`);
}

function addressMeant(written: string): string | undefined {
  if (/^[0-9]{1,5}$/.test(written)) return `:${written}`;
  const host = /^(?:[a-z]+:\/\/)?([^/]+:[0-9]{1,5})\/?$/.exec(written)?.[1];
  return host === written ? undefined : host;
}

/** Whether a text is an IPv4 address in four decimal parts, or a host name. */
export function isHost(host: string): boolean {
  return hostKind(host) === 'name' ? HOST_NAME.test(host) : hostKind(host) === 'ipv4';
}

export function parseNetwork(written: string): string | Refusal {
  const [host = '', bits = '', ...rest] = written.split('/');
  const valid = rest.length === 0 && (ipaddr.IPv6.isValid(host) || ipaddr.IPv4.isValidFourPartDecimal(host));
  if (!valid) return refuse(`${JSON.stringify(written)} is not a network such as 10.0.0.0/8`);
  const kind = ipaddr.IPv6.isValid(host) ? ipaddr.IPv6 : ipaddr.IPv4;
  const longest = kind === ipaddr.IPv6 ? 128 : 32;
  if (!written.includes('/')) return refuse('a network needs the length of its prefix', `${host}/${longest}`);
  if (!/^[0-9]{1,3}$/.test(bits) || Number(bits) > longest) {
    return refuse(`the prefix of ${written} is not a number from 0 to ${longest}`);
  }
  const base = kind.networkAddressFromCIDR(`${host}/${bits}`).toString();
  const normal = `${base}/${Number(bits)}`;
  if (kind.parse(host).toString() !== base) return refuse(`${written} has bits set after its prefix`, normal);
  return normal;
}

/** Whether nobody outside this machine can reach the address. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  return ipaddr.isValid(host) && ipaddr.process(host).range() === 'loopback';
}

/** Whether two addresses cannot be listened on at once: the same, or one is part of the other. */
export function overlaps(a: Address, b: Address): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  return covers(a.host, b.host) || covers(b.host, a.host);
}

function covers(a: string, b: string): boolean {
  if (ipaddr.IPv6.isValid(a)) {
    const address = ipaddr.IPv6.parse(a);
    // The unspecified IPv6 address takes IPv4 connections too.
    if (address.range() === 'unspecified') return true;
    return ipaddr.IPv6.isValid(b) && ipaddr.IPv6.parse(b).toString() === address.toString();
  }
  return a === b || (a === EVERY_HOST && !ipaddr.IPv6.isValid(b));
}

/** `host:port` for an address, with brackets where they belong. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
