import type { FieldList } from './response-fields.ts';

/** What exists in HTTP/1.1 alone (RFC 9113 section 8.2.2). */
const DROPPED: ReadonlySet<string> = new Set([
  'connection',
  'transfer-encoding',
  'keep-alive',
  'upgrade',
  'proxy-connection',
  'http2-settings',
]);

/** A request as HTTP/2 writes it. */
export interface RequestFields {
  readonly fields: FieldList;
  readonly toHead: boolean;
  /** Bytes of the body; undefined when it comes in chunks. */
  readonly length: number | undefined;
}

/** Reads a head that we wrote ourselves for a backend: every line of it is valid. */
export function requestFields(head: string, scheme: string): RequestFields {
  const [line = '', ...rest] = head.slice(0, -4).split('\r\n');
  const methodEnd = line.indexOf(' ');
  const method = line.slice(0, methodEnd);
  const path = line.slice(methodEnd + 1, line.lastIndexOf(' '));
  let authority = '';
  let length: number | undefined = 0;
  const list: FieldList = [];
  for (const each of rest) {
    const colon = each.indexOf(':');
    const name = each.slice(0, colon).toLowerCase();
    const value = each.slice(colon + 1).replaceAll(/^[ \t]+|[ \t]+$/g, '');
    if (name === 'host') authority = value;
    else if (name === 'content-length') length = Number(value);
    else if (name === 'transfer-encoding') length = undefined;
    if (name !== 'host' && !DROPPED.has(name)) list.push(name, value);
  }
  const pseudo = [':method', method, ':scheme', scheme, ':authority', authority, ':path', path];
  return { fields: [...pseudo, ...list], toHead: method === 'HEAD', length };
}
