import { FIELD, type ResponseHead } from '@usher/http1';
import { rateFields } from '../rate/rate-ticket.ts';
import { editHead } from '../traffic/header-edits.ts';
import { PANIC_HEADER } from '../wire/debug-token.ts';
import type { OwnFields } from '../wire/response-relay.ts';

/** What ends at this hop or exists in HTTP/1.1 alone (RFC 9113 section 8.2.2), and the request id, which is ours to give. */
const DROPPED =
  (1 << FIELD.connection) |
  (1 << FIELD.keepAlive) |
  (1 << FIELD.proxyHop) |
  (1 << FIELD.te) |
  (1 << FIELD.upgrade) |
  (1 << FIELD.nominated) |
  (1 << FIELD.transferEncoding) |
  (1 << FIELD.xRequestId);
/** RFC 9110 sections 8.6 and 15.3.6: responses without content, or with none to speak of. */
const DROPPED_WITHOUT_CONTENT = DROPPED | (1 << FIELD.contentLength);
/** Belongs to the upgrade that RFC 9113 did away with; Node refuses to send it. */
const SETTINGS = 'http2-settings';
/** What would be an error of the connection behind a body as before it; Node refuses to send those too. */
const NO_TRAILERS: ReadonlySet<string> = new Set([
  SETTINGS,
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** Names and values in turn. */
export type FieldList = string[];

/** The header list that goes to a client for the head of a backend's response, with what it gets from us. */
export function responseFields(
  { fields, text, status }: ResponseHead,
  requestId: string,
  own?: OwnFields,
): FieldList {
  const list: FieldList = [':status', String(status)];
  const edited = own?.edits === undefined ? undefined : editHead({ fields, text }, own.edits);
  const dropped = status < 200 || status === 204 || status === 205 ? DROPPED_WITHOUT_CONTENT : DROPPED;
  for (let line = 0; line < fields.count; line++) {
    if ((dropped & (1 << fields.id(line))) !== 0) continue;
    const name = text.slice(fields.nameStart(line), fields.nameEnd(line)).toLowerCase();
    if (name !== SETTINGS) list.push(name, text.slice(fields.valueStart(line), fields.valueEnd(line)));
  }
  list.push('x-request-id', requestId);
  if (edited !== undefined) list.push(...edited);
  if (own !== undefined) addOwn(list, own);
  return list;
}

function addOwn(list: FieldList, { setCookie, panic, rate }: OwnFields): void {
  if (setCookie !== '') list.push('set-cookie', setCookie);
  if (panic !== '') list.push(PANIC_HEADER, panic);
  if (rate !== undefined) list.push(...rateFields(rate));
}

/** The same as an object, where names that repeat have a list of values. */
export function asHeaders(list: FieldList): Record<string, string | string[]> {
  // A field may be called as a property that every other object has.
  const headers = Object.create(null) as Record<string, string | string[]>;
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i]!;
    const value = list[i + 1]!;
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  return headers;
}

/** Lines of `name: value` as a list, without what HTTP/2 has no place for. */
export function trailerFields(lines: string): FieldList {
  const list: FieldList = [];
  for (const line of lines.split('\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase();
    if (name !== '' && !NO_TRAILERS.has(name)) list.push(name, line.slice(colon + 1).trim());
  }
  return list;
}
