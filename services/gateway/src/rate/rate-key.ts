import type { IncomingMessage } from 'node:http';
import { FIELD, joinedValues, lineNamed, type RequestHead } from '@usher/http1';
import { Networks } from '../sticky/networks.ts';
import type { Peer, PeerDirectory } from '../wire/peer.ts';
import type { RateRule } from './rate-rule.ts';

/** So that nobody can pass for an address by a header, or the other way round. */
const VALUE = 'value ';
/** What is longer is told apart by its beginning. */
const VALUE_LENGTH_MAX = 512;

const networks = new Networks();

/** By what a request is counted. */
export function rateKeyOfHead(
  head: RequestHead,
  { settings }: RateRule,
  peer: Peer,
  peers: PeerDirectory,
): string {
  if (settings.by === 'route' || settings.by === 'global') return '';
  const { text, fields } = head;
  if (settings.by === 'header') {
    const line = lineNamed(text, fields, settings.name);
    if (line >= 0 && fields.valueEnd(line) > fields.valueStart(line))
      return keyOfValue(text.slice(fields.valueStart(line), fields.valueEnd(line)));
  }
  return networks.of(
    peer.trusted ? peers.clientOf(peer, joinedValues(text, fields, FIELD.xForwardedFor)) : peer.address,
  );
}

/** The same for a request that Node has parsed. */
export function rateKeyOfMessage(
  { headers }: IncomingMessage,
  { settings }: RateRule,
  peer: Peer,
  peers: PeerDirectory,
): string {
  if (settings.by === 'route' || settings.by === 'global') return '';
  if (settings.by === 'header') {
    const value = [headers[settings.name]].flat()[0];
    if (value !== undefined && value !== '') return keyOfValue(value);
  }
  return networks.of(peers.clientOf(peer, String(headers['x-forwarded-for'] ?? '')));
}

function keyOfValue(value: string): string {
  return VALUE + value.slice(0, VALUE_LENGTH_MAX);
}
