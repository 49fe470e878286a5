import { BYTE, CHAR, CLASS_OF } from './chars.ts';
import { FAULTS, type HttpFault } from './faults.ts';
import { equalsLower, FIELD } from './field-names.ts';
import type { FieldTable } from './field-table.ts';

/** How the end of a body is found. `close`: at the end of the connection, which only a response may use. */
export type BodyKind = 'none' | 'length' | 'chunked' | 'close';

/** The framing of one message, decided once (RFC 9112 section 6.3). */
export interface Framing {
  body: BodyKind;
  /** Bytes of the body when `body` is `length`, else 0. */
  length: number;
}

/** 2^53 has 16 digits; 15 always fit. */
const LENGTH_DIGITS_MAX = 15;

const CHUNKED = Buffer.from('chunked');

/** Decides how a request is framed and writes it to `framing`; a fault when that is not beyond doubt. */
export function frameRequest(
  bytes: Uint8Array,
  table: FieldTable,
  minor: number,
  framing: Framing,
): HttpFault | undefined {
  framing.body = 'none';
  framing.length = 0;
  const coded = table.has(FIELD.transferEncoding);
  if (!coded && !table.has(FIELD.contentLength)) return undefined;
  if (coded && table.has(FIELD.contentLength)) return FAULTS.lengthAndCoding;
  if (!coded) return readLength(bytes, table, framing);
  const fault = codingFault(bytes, table, minor);
  if (fault === undefined) framing.body = 'chunked';
  return fault;
}

/**
 * Decides how a response is framed. `bodiless`: it answers HEAD or its status has no content (1xx, 204, 304), so it ends
 * with its head whatever the framing headers say; they must still be valid.
 */
export function frameResponse(
  bytes: Uint8Array,
  table: FieldTable,
  minor: number,
  bodiless: boolean,
  framing: Framing,
): HttpFault | undefined {
  const fault = frameRequest(bytes, table, minor, framing);
  if (fault !== undefined) return fault;
  if (bodiless) {
    framing.body = 'none';
    framing.length = 0;
  } else if (framing.body === 'none') {
    framing.body = 'close';
  } else if (framing.body === 'length' && framing.length === 0) {
    framing.body = 'none';
  }
  return undefined;
}

function readLength(bytes: Uint8Array, table: FieldTable, framing: Framing): HttpFault | undefined {
  if (table.isRepeated(FIELD.contentLength)) return FAULTS.lengthRepeated;
  const line = table.first(FIELD.contentLength);
  const start = table.valueStart(line);
  const end = table.valueEnd(line);
  if (start === end || end - start > LENGTH_DIGITS_MAX) return FAULTS.lengthSyntax;
  let length = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if ((CLASS_OF[byte]! & CHAR.digit) === 0) return FAULTS.lengthSyntax;
    length = length * 10 + byte - 48;
  }
  framing.body = 'length';
  framing.length = length;
  return undefined;
}

/**
 * `chunked` alone is accepted, and without tabs around it: they are valid (RFC 9112 section 5.1), but nobody needs them and
 * some parsers read another coding then, or none. What ends in it after a coding of its own is known but not supported, RFC 9112 section 6.1. */
function codingFault(bytes: Uint8Array, table: FieldTable, minor: number): HttpFault | undefined {
  if (minor === 0) return FAULTS.codingInOldVersion;
  if (table.isRepeated(FIELD.transferEncoding)) return FAULTS.coding;
  const line = table.first(FIELD.transferEncoding);
  const start = table.valueStart(line);
  const length = table.valueEnd(line) - start;
  if (bytes.subarray(table.nameEnd(line), table.lineEnd(line)).includes(BYTE.tab)) return FAULTS.coding;
  if (length === CHUNKED.length && equalsLower(bytes, start, CHUNKED)) return undefined;
  const codings = Buffer.from(bytes.subarray(start, start + length))
    .toString('latin1')
    .toLowerCase()
    .split(',')
    .map((coding) => coding.replaceAll(/^ +| +$/g, ''));
  const final = codings.pop();
  const supportable = final === 'chunked' && !codings.includes('chunked') && !codings.includes('');
  return supportable ? FAULTS.codingUnknown : FAULTS.coding;
}
