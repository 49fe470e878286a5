import type { IncomingMessage } from 'node:http';
import { onSphere, type PoolSettings, type SpherePoint } from '@usher/domain';
import { FIELD, joinedValues, lineNamed, type RequestHead } from '@usher/http1';
import type { Peer, PeerDirectory } from './peer.ts';

/** Says where an address is; undefined when that is not known. */
export type Locate = (address: string) => SpherePoint | undefined;

/** By whom a place is found. */
export interface PlaceTools {
  readonly peers: PeerDirectory;
  readonly locate: Locate;
}

const DEGREES = /^[+-]?\d{1,3}(\.\d{1,20})?$/;

/**
 * Where the client of a request is: as a trusted proxy tells in the headers that the pool names, or else by the client's
 * address. Undefined when that is not known.
 */
export function placeOfHead(
  head: RequestHead,
  { clientLocation }: PoolSettings,
  peer: Peer,
  { peers, locate }: PlaceTools,
): SpherePoint | undefined {
  if (!peer.trusted) return locate(peer.address);
  const { text, fields } = head;
  const told =
    clientLocation &&
    placeIn(headerOf(head, clientLocation.latitudeHeader), headerOf(head, clientLocation.longitudeHeader));
  return told ?? locate(peers.clientOf(peer, joinedValues(text, fields, FIELD.xForwardedFor)));
}

/** The same for a request that Node has parsed. */
export function placeOfMessage(
  message: IncomingMessage,
  { clientLocation }: PoolSettings,
  peer: Peer,
  { peers, locate }: PlaceTools,
): SpherePoint | undefined {
  if (!peer.trusted) return locate(peer.address);
  const told =
    clientLocation &&
    placeIn(
      headerOfMessage(message, clientLocation.latitudeHeader),
      headerOfMessage(message, clientLocation.longitudeHeader),
    );
  return told ?? locate(peers.clientOf(peer, String(message.headers['x-forwarded-for'] ?? '')));
}

/** The value of the first header line of that name. */
export function headerOf({ text, fields }: RequestHead, name: string): string | undefined {
  const line = lineNamed(text, fields, name);
  return line < 0 ? undefined : text.slice(fields.valueStart(line), fields.valueEnd(line));
}

/** The same of a request that Node has parsed, which joins lines of one name; a plugin may have set it since. */
export function headerOfMessage(
  { headers, rawHeaders }: Pick<IncomingMessage, 'headers' | 'rawHeaders'>,
  name: string,
): string | undefined {
  const [value] = [headers[name]].flat();
  if (value?.includes(', ') !== true) return value;
  const lines = rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
  return value === lines.join(', ') ? lines[0] : value;
}

function placeIn(latitude: string | undefined, longitude: string | undefined): SpherePoint | undefined {
  if (latitude === undefined || longitude === undefined) return undefined;
  if (!DEGREES.test(latitude) || !DEGREES.test(longitude)) return undefined;
  return onSphere({ latitude: Number(latitude), longitude: Number(longitude) });
}
