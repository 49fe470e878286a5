import { FIELD, isToken, joinedValues, keptFields, type RequestHead, singleValue } from '@usher/http1';
import { editHead, type HeaderEdits, linesOf } from '../traffic/header-edits.ts';
import type { RouteTraffic } from '../traffic/route-traffic.ts';
import { onlyValue } from '../traffic/traffic-request.ts';
import { appendForwarded } from './forwarded-element.ts';
import type { Peer } from './peer.ts';
import { UPGRADE_LINES } from './websocket.ts';

const REQUEST_ID_LENGTH_MAX = 128;

const bits = (...ids: readonly number[]): number => ids.reduce((mask, id) => mask | (1 << id), 0);

/** What ends at this hop (RFC 9110 section 7.6.1), and what is written anew below. */
const HOP = bits(
  FIELD.connection,
  FIELD.keepAlive,
  FIELD.proxyHop,
  FIELD.te,
  FIELD.upgrade,
  FIELD.nominated,
  FIELD.transferEncoding,
  FIELD.xForwardedFor,
  FIELD.forwarded,
);
const FROM_TRUSTED_ONLY = bits(FIELD.xForwardedProto, FIELD.xForwardedHost, FIELD.claim);
const REQUEST_ID = bits(FIELD.xRequestId);
const EXPECT = bits(FIELD.expect);

/** What the policy of a route changes in a request. */
export interface RequestChanges {
  /** The request line, with its CRLF. */
  readonly line: string;
  readonly edits: HeaderEdits | undefined;
}

/** The client's own request id if it is one and valid, else undefined. */
export function requestIdOf(
  head: RequestHead,
  traffic: RouteTraffic | undefined,
  { trusted }: Peer,
): string | undefined {
  if (traffic !== undefined) return traffic.requestId((name) => onlyValue(head, name), trusted);
  if (!head.fields.has(FIELD.xRequestId)) return undefined;
  const id = singleValue(head.text, head.fields, FIELD.xRequestId);
  return id !== undefined && isToken(id, REQUEST_ID_LENGTH_MAX) ? id : undefined;
}

/**
 * The head that goes to a backend, without its last CRLF, because a request without Host still needs the backend's.
 * Path, query, Host and every end-to-end header go unchanged. `upgrade`: it asks for a WebSocket.
 * `cookies`: what stands for cookie lines that were nominated. `changes`: what the policy of its route changes.
 */
export function forwardRequestHead(
  head: RequestHead,
  requestId: string,
  peer: Peer,
  upgrade: boolean,
  cookies = '',
  changes?: RequestChanges,
): string {
  const { fields, text } = head;
  const edited = changes?.edits === undefined ? '' : linesOf(editHead(head, changes.edits));
  let drop = HOP | REQUEST_ID;
  if (!peer.trusted) drop |= FROM_TRUSTED_ONLY;
  if (head.minor === 0) drop |= EXPECT;
  let out = (changes?.line ?? head.forwardLine) + keptFields(text, fields, drop);
  // The authority of the target stands for the Host that HTTP/1.0 need not send (RFC 9112 section 3.2.2).
  if (!fields.has(FIELD.host) && head.authority !== '') out += `host: ${head.authority}\r\n`;
  if (head.body === 'chunked') out += 'transfer-encoding: chunked\r\n';
  if (fields.has(FIELD.te) && acceptsTrailers(head)) out += 'te: trailers\r\nconnection: te\r\n';
  if (peer.trusted && fields.has(FIELD.forwarded))
    out += `forwarded: ${appendForwarded(joinedValues(text, fields, FIELD.forwarded), peer, head.authority)}\r\n`;
  const before = peer.trusted ? joinedValues(text, fields, FIELD.xForwardedFor) : '';
  out +=
    before === ''
      ? `x-forwarded-for: ${peer.address}\r\n`
      : `x-forwarded-for: ${before}, ${peer.address}\r\n`;
  if (!peer.trusted || !fields.has(FIELD.xForwardedProto)) out += `x-forwarded-proto: ${peer.scheme}\r\n`;
  if (head.authority !== '' && (!peer.trusted || !fields.has(FIELD.xForwardedHost)))
    out += `x-forwarded-host: ${head.authority}\r\n`;
  if (cookies !== '') out += `cookie: ${cookies}\r\n`;
  if (upgrade) out += UPGRADE_LINES;
  return `${out}${edited}x-request-id: ${requestId}\r\n`;
}

/** `TE: trailers` is the one member of TE that may travel on, because trailers pass through unchanged. */
function acceptsTrailers(head: RequestHead): boolean {
  return joinedValues(head.text, head.fields, FIELD.te)
    .split(',')
    .some((member) => member.trim().toLowerCase() === 'trailers');
}
