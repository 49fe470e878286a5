import {
  FIELD,
  type FieldTable,
  joinedValues,
  type RequestHead,
  type ResponseHead,
  singleValue,
} from '@usher/http1';
import type { RouteEntry } from '../routing-table.ts';

/** What a request or response for a WebSocket adds to its head at each hop. */
export const UPGRADE_LINES = 'connection: upgrade\r\nupgrade: websocket\r\n';

/** Status 1001, "going away" (RFC 6455 section 7.4.1), as a server sends it. */
export const GOING_AWAY_TO_CLIENT = Buffer.from([0x88, 0x02, 0x03, 0xe9]);
/** The same as a client sends it. A mask hides what a script chose to send (section 10.3); nobody chose this. */
export const GOING_AWAY_TO_BACKEND = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9]);

/** Whether a request by this route may change to a WebSocket. */
export function allowsWebSocket({ settings, pool }: RouteEntry): boolean {
  return settings.websocket && !pool.settings.http2;
}

/**
 * Whether a request asks for a WebSocket (RFC 6455 section 4.1). Any other wish to upgrade is ignored, as RFC 9110 section
 * 7.8 allows: what such a connection carried could not be checked.
 */
export function asksForWebSocket(head: RequestHead): boolean {
  const { fields, text } = head;
  if (head.minor === 0 || head.method !== 'GET' || head.body !== 'none') return false;
  // Only what Connection names as well is meant for this hop.
  const options = joinedValues(text, fields, FIELD.connection).toLowerCase().split(',');
  return namesWebSocket(text, fields) && options.some((option) => option.trim() === 'upgrade');
}

/** Whether a response with status 101 changes to what was asked for. */
export function becomesWebSocket(head: ResponseHead): boolean {
  return namesWebSocket(head.text, head.fields);
}

function namesWebSocket(text: string, fields: FieldTable): boolean {
  return singleValue(text, fields, FIELD.upgrade)?.toLowerCase() === 'websocket';
}
