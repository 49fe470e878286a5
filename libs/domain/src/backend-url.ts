/** Where a backend listens. */
export interface Origin {
  readonly tls: boolean;
  /** Host name or address; an IPv6 address without its brackets. */
  readonly host: string;
  /** `host` is a name, which has to be resolved. */
  readonly named: boolean;
  readonly port: number;
  /** `host:port` as it goes into a Host header; the port is left out when it is the scheme's own. */
  readonly authority: string;
}

const ORIGIN = /^(https?):\/\/(\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9._-]*[a-z0-9])?)(?::(\d{1,5}))?\/?$/i;

/** The last part of a host is a number, decimal, octal or hexadecimal, with or without a dot behind it. */
const NUMBER_LAST = /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)\.?$/i;
const DECIMAL = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/;

/**
 * What a host without brackets is, by the rule of the URL standard ("ends in a number"): whatever has a number for its last
 * part is an IPv4 address or nothing, because resolvers take `127.1`, `0x7f.1` and `2130706433` for addresses. Undefined for
 * those: with one way to write an address, nobody gets past what keeps backends away from it by another.
 */
export function hostKind(host: string): 'ipv4' | 'name' | undefined {
  if (!NUMBER_LAST.test(host)) return 'name';
  return DECIMAL.test(host) ? 'ipv4' : undefined;
}

/** Reads a backend's URL, an origin: scheme, host and port and nothing else. A string says what is wrong with it. */
export function parseBackendUrl(url: string): Origin | string {
  const match = ORIGIN.exec(url);
  if (match === null) return 'must be an origin such as http://10.0.0.1:3000, without path, query or user';
  const tls = match[1]?.toLowerCase() === 'https';
  const bracketed = match[2] ?? '';
  const standard = tls ? 443 : 80;
  const port = match[4] === undefined ? standard : Number(match[4]);
  if (port < 1 || port > 65_535) return `port ${port} is not between 1 and 65535`;
  const host = bracketed.startsWith('[') ? bracketed.slice(1, -1) : bracketed;
  const kind = bracketed.startsWith('[') ? 'ipv6' : hostKind(host);
  if (kind === undefined)
    return 'must have an IPv4 address in four decimal numbers, such as http://10.0.0.1:3000';
  return {
    tls,
    host,
    named: kind === 'name',
    port,
    authority: port === standard ? bracketed : `${bracketed}:${port}`,
  };
}
