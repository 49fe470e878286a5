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

/** Host names never end in a number, so whatever does is an address, if one that resolvers alone understand (`127.1`, `0x7f000001`). */
const ADDRESS = /^[0-9.]+$|(?:^|\.)0x[0-9a-f]*$/i;

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
  const named = !bracketed.startsWith('[') && !ADDRESS.test(host);
  return { tls, host, named, port, authority: port === standard ? bracketed : `${bracketed}:${port}` };
}
