import { FIELD, keptFields, type ResponseHead } from '@usher/http1';
import { rateLines } from '../rate/rate-ticket.ts';
import { editHead, linesOf } from '../traffic/header-edits.ts';
import { PANIC_HEADER } from './debug-token.ts';
import type { OwnFields } from './response-relay.ts';
import type { UPGRADE_LINES } from './websocket.ts';

const bits = (...ids: readonly number[]): number => ids.reduce((mask, id) => mask | (1 << id), 0);

/** What ends at this hop, and the request id, which is ours to give. */
const DROPPED = bits(
  FIELD.connection,
  FIELD.keepAlive,
  FIELD.proxyHop,
  FIELD.te,
  FIELD.upgrade,
  FIELD.nominated,
  FIELD.xRequestId,
);
const CODING = bits(FIELD.transferEncoding);
const FRAMING = bits(FIELD.transferEncoding, FIELD.contentLength);

const DIGIT_ONE = 49;
const STATUS_LINE_BYTES_MIN = 12;

/** What the client's connection adds to a response head. */
export type ConnectionLine =
  | typeof UPGRADE_LINES
  | ''
  | 'connection: close\r\n'
  | 'connection: keep-alive\r\n';

/**
 * The head that goes to the client, blank line included. `withoutCoding`: to one that does not know transfer codings
 * (RFC 9112 section 6.1), so that its body, if there is any, goes without its own.
 * Status, reason and every end-to-end header go unchanged. `own`: what it gets from us.
 */
export function forwardResponseHead(
  head: ResponseHead,
  requestId: string,
  connection: ConnectionLine,
  withoutCoding: boolean,
  own?: OwnFields,
): string {
  let drop = DROPPED;
  // RFC 9110 section 8.6 and RFC 9112 section 6.1: these statuses carry no framing at all.
  if (head.status < 200 || head.status === 204) drop |= FRAMING;
  else if (withoutCoding) drop |= CODING;
  const edited = own?.edits === undefined ? '' : linesOf(editHead(head, own.edits));
  const kept = keptFields(head.text, head.fields, drop);
  const lines = own === undefined ? '' : ownLines(own);
  return `${statusLine(head)}${kept}x-request-id: ${requestId}\r\n${edited}${lines}${connection}\r\n`;
}

function ownLines({ setCookie, panic, rate }: OwnFields): string {
  let lines = setCookie === '' ? '' : `set-cookie: ${setCookie}\r\n`;
  if (panic !== '') lines += `${PANIC_HEADER}: ${panic}\r\n`;
  return rate === undefined ? lines : lines + rateLines(rate);
}

function statusLine(head: ResponseHead): string {
  const { text, lineEnd } = head;
  const asReceived = text.charCodeAt(7) === DIGIT_ONE && lineEnd > STATUS_LINE_BYTES_MIN;
  if (asReceived) return text.slice(0, lineEnd + 2);
  const reason = text.slice(STATUS_LINE_BYTES_MIN + 1, lineEnd);
  return `HTTP/1.1 ${head.status} ${reason}\r\n`;
}
