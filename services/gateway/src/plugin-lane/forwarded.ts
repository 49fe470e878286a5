import { BlockList, isIPv4 } from 'node:net';
import { isClaimWithUnderscores } from '@usher/http1';
import { editRecord } from '../traffic/header-edits.ts';
import { appendForwarded } from '../wire/forwarded-element.ts';
import type { Arrival } from './exchange.ts';

/** Header fields that belong to one connection, or that only a proxy may set, and are never passed on (RFC 9110 section 7.6.1). */
const DROPPED = [
  'connection',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
  'expect',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-authentication-info',
];

/** By these a client could claim to be somebody else; they count only from a trusted proxy. */
const CLAIMS = ['forwarded', 'x-real-ip', 'x-forwarded-port'];

export type Headers = Record<string, string | string[] | undefined>;

/** Tells whether an address is that of a proxy whose X-Forwarded-* headers count. */
export function trustOf(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    list.addSubnet(address, prefix === undefined ? (family === 'ipv4' ? 32 : 128) : Number(prefix), family);
  }
  return (address) => list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

/** The headers of a request as the backend gets them. Names are in lower case. */
export function forwardedRequestHeaders(
  headers: Headers,
  { entry, host, requestId, peer, visit, seen }: Omit<Arrival, 'key' | 'from'>,
): Headers {
  const { trusted } = peer;
  const forwarded: Headers = { ...headers };
  if (visit?.cookies === '') delete forwarded['cookie'];
  else if (visit?.cookies !== undefined) forwarded['cookie'] = visit.cookies;
  for (const name of DROPPED) delete forwarded[name];
  if (!trusted) {
    for (const name of CLAIMS) delete forwarded[name];
    for (const name in forwarded) if (isClaimWithUnderscores(name)) delete forwarded[name];
  }
  if (headers['forwarded'] !== undefined && trusted)
    forwarded['forwarded'] = appendForwarded(String(headers['forwarded']), peer, host ?? '');
  const before = trusted ? headers['x-forwarded-for'] : undefined;
  forwarded['x-forwarded-for'] = before === undefined ? peer.address : `${String(before)}, ${peer.address}`;
  if (!trusted || headers['x-forwarded-proto'] === undefined) {
    forwarded['x-forwarded-proto'] = peer.scheme;
  }
  if (!trusted || headers['x-forwarded-host'] === undefined) forwarded['x-forwarded-host'] = host;
  forwarded['host'] = host;
  forwarded['x-request-id'] = requestId;
  const edits = seen === undefined ? undefined : entry.traffic?.requestEdits(seen);
  if (edits !== undefined) editRecord(forwarded, edits);
  return forwarded;
}

/** The headers of a response as the client gets them. */
export function forwardedResponseHeaders(headers: Headers, requestId: string): Headers {
  const forwarded: Headers = { ...headers };
  for (const name of String(headers['connection'] ?? '').split(','))
    delete forwarded[name.trim().toLowerCase()];
  for (const name of DROPPED) delete forwarded[name];
  forwarded['x-request-id'] = requestId;
  return forwarded;
}
