import { BYTE, CHAR, CLASS_OF } from './chars.ts';

/** Longest host name of DNS, plus room for percent-encoding. */
const HOST_BYTES_MAX = 512;
const PORT_DIGITS_MAX = 5;
const PORT_MAX = 65_535;

const INVALID = -1;

/**
 * Checks `uri-host [":" port]` (RFC 9110 section 7.2) in `bytes[start..end)`. Answers with the offset where the host
 * ends (the colon, or `end`), or -1 when it is not valid. An empty host is not valid for http.
 */
export function hostEnd(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) return INVALID;
  const i = bytes[start] === BYTE.openBracket ? literalEnd(bytes, start, end) : nameEnd(bytes, start, end);
  if (i <= start || i - start > HOST_BYTES_MAX) return INVALID;
  if (i === end) return i;
  return bytes[i] === BYTE.colon && isPort(bytes, i + 1, end) ? i : INVALID;
}

function nameEnd(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end && (CLASS_OF[bytes[i]!]! & CHAR.host) !== 0) i++;
  return i;
}

/** An IP literal in brackets: hexadecimal digits, colons and dots, of which at least two are colons. */
function literalEnd(bytes: Uint8Array, start: number, end: number): number {
  let colons = 0;
  for (let i = start + 1; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === BYTE.closeBracket) return colons >= 2 ? i + 1 : INVALID;
    if (byte === BYTE.colon) colons++;
    else if (byte !== 46 && (CLASS_OF[byte]! & CHAR.hex) === 0) return INVALID;
  }
  return INVALID;
}

function isPort(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > PORT_DIGITS_MAX) return false;
  let port = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if ((CLASS_OF[byte]! & CHAR.digit) === 0) return false;
    port = port * 10 + byte - BYTE.zero;
  }
  return port <= PORT_MAX;
}

/** Host and port in one comparable form: lower case, without the default port of the scheme. */
export function comparableAuthority(authority: string, defaultPort: string): string {
  const lower = authority.toLowerCase();
  const colon = lower.lastIndexOf(':');
  if (colon < 0 || lower.endsWith(']')) return lower;
  const port = lower.slice(colon + 1);
  return port === '' || port === defaultPort ? lower.slice(0, colon) : lower;
}

/** What needs no encoding (RFC 3986 section 2.3), encoded. */
const ENCODED_UNRESERVED = /%(?:2[DdEe]|3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|5[Ff]|7[Ee])/g;

/**
 * A host, without its port, in one comparable form: lower case, nothing encoded that need not be (RFC 3986 section 6.2.2), and
 * without the dot of the root, as a rooted name is the same host.
 */
export function comparableHost(host: string): string {
  const plain = host.includes('%')
    ? host.replace(ENCODED_UNRESERVED, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)))
    : host;
  return (plain.endsWith('.') ? plain.replace(/\.+$/, '') : plain).toLowerCase();
}
