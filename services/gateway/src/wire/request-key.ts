import type { IncomingMessage } from 'node:http';
import { type HashSettings, hashOf } from '@usher/domain';
import { FIELD, joinedValues, lineNamed, type RequestHead } from '@usher/http1';
import type { Peer, PeerDirectory } from './peer.ts';

/** No such part in the request; a hash is never negative. */
const ABSENT = -1;
const EQUALS = 61;
const SPACE = 32;
const TAB = 9;

/**
 * Hash of the part of a request that a pool's strategy goes by. A header or cookie that is missing or empty leaves the
 * client's address. Of those that come more than once the first that is not empty counts.
 */
export function keyOfHead(head: RequestHead, peer: Peer, by: HashSettings, peers: PeerDirectory): number {
  const { text, fields } = head;
  if (by.by === 'path')
    return head.pathStart === head.pathEnd ? hashOf('/') : hashOf(text, head.pathStart, head.pathEnd);
  if (by.by !== 'ip') {
    const name = by.by === 'header' ? by.name : 'cookie';
    for (
      let line = lineNamed(text, fields, name);
      line >= 0;
      line = lineNamed(text, fields, name, line + 1)
    ) {
      const key = keyOfValue(text, fields.valueStart(line), fields.valueEnd(line), by);
      if (key !== ABSENT) return key;
    }
  }
  return hashOf(
    peer.trusted ? peers.clientOf(peer, joinedValues(text, fields, FIELD.xForwardedFor)) : peer.address,
  );
}

/** The same for a request that Node has parsed; `path` is without the query. */
export function keyOfMessage(
  { headers, rawHeaders }: IncomingMessage,
  path: string,
  peer: Peer,
  by: HashSettings,
  peers: PeerDirectory,
): number {
  if (by.by === 'path') return hashOf(path);
  if (by.by !== 'ip') {
    const name = by.by === 'header' ? by.name : 'cookie';
    for (let at = 0; at < rawHeaders.length; at += 2) {
      if (rawHeaders[at]!.toLowerCase() !== name) continue;
      const value = rawHeaders[at + 1]!;
      const key = keyOfValue(value, 0, value.length, by);
      if (key !== ABSENT) return key;
    }
  }
  return hashOf(peers.clientOf(peer, String(headers['x-forwarded-for'] ?? '')));
}

/** Of the value of one header line, in `text[start..end)`. */
function keyOfValue(
  text: string,
  start: number,
  end: number,
  by: Extract<HashSettings, { readonly name: string }>,
): number {
  if (by.by === 'cookie') return keyOfCookie(text, start, end, by.name);
  return start === end ? ABSENT : hashOf(text, start, end);
}

function keyOfCookie(text: string, start: number, end: number, name: string): number {
  for (let at = start; at < end; ) {
    const semicolon = text.indexOf(';', at);
    const next = semicolon < 0 || semicolon > end ? end : semicolon;
    while (at < next && isBlank(text.charCodeAt(at))) at += 1;
    let stop = next;
    while (stop > at && isBlank(text.charCodeAt(stop - 1))) stop -= 1;
    const equals = at + name.length;
    if (equals + 1 < stop && text.charCodeAt(equals) === EQUALS && text.startsWith(name, at))
      return hashOf(text, equals + 1, stop);
    at = next + 1;
  }
  return ABSENT;
}

function isBlank(char: number): boolean {
  return char === SPACE || char === TAB;
}
