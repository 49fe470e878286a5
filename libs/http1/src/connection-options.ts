import { BYTE, CHAR, CLASS_OF, LOWER } from './chars.ts';
import { equalsLower, FIELD } from './field-names.ts';
import { FAULTY, type FieldTable } from './field-table.ts';

/** What a Connection header asks for, as bits. */
export const CONNECTION = { none: 0, close: 1, keepAlive: 2 } as const;

/** More options than this make no sense, and each costs a look at every header line. */
const OPTIONS_MAX = 32;

const CLOSE = Buffer.from('close');
const KEEP_ALIVE = Buffer.from('keep-alive');

/**
 * Reads every Connection line (RFC 9110 section 7.6.1): answers with `CONNECTION` bits, or FAULTY, and marks the header
 * lines that it nominates. Host and the framing headers cannot be nominated: removing them would change the message.
 * Headers that always end at this hop need not be.
 */
export function readConnectionOptions(bytes: Uint8Array, table: FieldTable): number {
  if (!table.has(FIELD.connection)) return CONNECTION.none;
  let options = 0;
  let budget = OPTIONS_MAX;
  for (let line = table.first(FIELD.connection); line < table.count; line++) {
    if (table.id(line) !== FIELD.connection) continue;
    let i = table.valueStart(line);
    const end = table.valueEnd(line);
    while (i < end) {
      i = skipSeparators(bytes, i, end);
      const start = i;
      while (i < end && (CLASS_OF[bytes[i]!]! & CHAR.token) !== 0) i++;
      const tokenEnd = i;
      while (i < end && isBlank(bytes[i]!)) i++;
      if (i < end && bytes[i] !== BYTE.comma) return FAULTY;
      if (tokenEnd === start) continue;
      if (--budget < 0) return FAULTY;
      const length = tokenEnd - start;
      if (length === CLOSE.length && equalsLower(bytes, start, CLOSE)) options |= CONNECTION.close;
      else if (length === KEEP_ALIVE.length && equalsLower(bytes, start, KEEP_ALIVE))
        options |= CONNECTION.keepAlive;
      else nominate(bytes, start, length, table);
    }
  }
  return options;
}

function isBlank(byte: number): boolean {
  return byte === BYTE.space || byte === BYTE.tab;
}

function skipSeparators(bytes: Uint8Array, from: number, end: number): number {
  let i = from;
  while (i < end && (bytes[i] === BYTE.comma || isBlank(bytes[i]!))) i++;
  return i;
}

const NEVER_NOMINATED =
  (1 << FIELD.host) |
  (1 << FIELD.contentLength) |
  (1 << FIELD.transferEncoding) |
  (1 << FIELD.connection) |
  // These end here anyway, and are still looked at by name.
  (1 << FIELD.te) |
  (1 << FIELD.upgrade) |
  (1 << FIELD.keepAlive) |
  (1 << FIELD.proxyHop);

function nominate(bytes: Uint8Array, start: number, length: number, table: FieldTable): void {
  for (let line = 0; line < table.count; line++) {
    const nameStart = table.nameStart(line);
    if (table.nameEnd(line) - nameStart !== length) continue;
    if ((NEVER_NOMINATED & (1 << table.id(line))) !== 0) continue;
    if (sameName(bytes, nameStart, start, length)) table.nominate(line);
  }
}

function sameName(bytes: Uint8Array, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) {
    if (LOWER[bytes[a + i]!] !== LOWER[bytes[b + i]!]) return false;
  }
  return true;
}
