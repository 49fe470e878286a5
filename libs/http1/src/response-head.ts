import { BYTE, CHAR, CLASS_OF } from './chars.ts';
import { CONNECTION, readConnectionOptions } from './connection-options.ts';
import { FAULTS, type HttpFault } from './faults.ts';
import { FAULTY, FIELD_LINES_MAX, FieldTable, INCOMPLETE, scanFields } from './field-table.ts';
import { type BodyKind, type Framing, frameResponse } from './framing.ts';
import type { HeadLimits } from './head-limits.ts';

/** One response head, overwritten by each `parseResponseHead`. Offsets are into `text`. */
export class ResponseHead implements Framing {
  readonly fields = new FieldTable();
  /** The head as latin1: one character per byte. */
  text = '';
  status = 0;
  minor = 1;
  /** Offset of the three digits of the status; the reason phrase follows, up to `lineEnd`. */
  statusStart = 0;
  /** Offset of the CRLF that ends the status line. */
  lineEnd = 0;
  body: BodyKind = 'none';
  length = 0;
  /** The backend keeps the connection open after this response. */
  persistent = true;
  fault: HttpFault = FAULTS.statusLine;
}

const PREFIX = Buffer.from('HTTP/1.');
const STATUS_OFFSET = 9;
const REASON_OFFSET = 12;

/** Responses with these statuses end with their head, RFC 9112 section 6.3. */
export function isBodiless(status: number): boolean {
  return status < 200 || status === 204 || status === 304;
}

/**
 * Parses a response head strictly from the beginning of `bytes[0..end)`; `toHead`: it answers a HEAD request. Answers
 * like `parseRequestHead`.
 */
export function parseResponseHead(
  bytes: Buffer,
  end: number,
  toHead: boolean,
  limits: HeadLimits,
  head: ResponseHead,
): number {
  const stop = Math.min(end, limits.headerBytes);
  const lineEnd = scanStatusLine(bytes, stop, head);
  if (lineEnd === FAULTY) return FAULTY;
  const headEnd =
    lineEnd === INCOMPLETE
      ? INCOMPLETE
      : scanFields(bytes, lineEnd, stop, Math.min(limits.headerCount, FIELD_LINES_MAX), head.fields);
  if (headEnd === FAULTY) return refuse(head, head.fields.fault);
  if (headEnd === INCOMPLETE)
    return end >= limits.headerBytes ? refuse(head, FAULTS.headTooLarge) : INCOMPLETE;
  head.text = bytes.toString('latin1', 0, headEnd);
  const bodiless = toHead || isBodiless(head.status);
  const fault = frameResponse(bytes, head.fields, head.minor, bodiless, head);
  if (fault !== undefined) return refuse(head, fault);
  const options = readConnectionOptions(bytes, head.fields);
  if (options === FAULTY) return refuse(head, FAULTS.connectionOption);
  head.persistent =
    head.body !== 'close' &&
    (head.minor === 0
      ? (options & (CONNECTION.keepAlive | CONNECTION.close)) === CONNECTION.keepAlive
      : (options & CONNECTION.close) === 0);
  return headEnd;
}

/** `HTTP-version SP 3DIGIT [SP reason-phrase] CRLF`, RFC 9112 section 4; the space before an absent reason may be missing. */
function scanStatusLine(bytes: Buffer, end: number, head: ResponseHead): number {
  for (let i = 0; i < REASON_OFFSET; i++) {
    if (i >= end) return INCOMPLETE;
    if (!isStatusLineByte(bytes[i]!, i)) return refuse(head, FAULTS.statusLine);
  }
  head.minor = bytes[PREFIX.length] === BYTE.zero ? 0 : 1;
  head.status = (bytes[9]! - 48) * 100 + (bytes[10]! - 48) * 10 + bytes[11]! - 48;
  head.statusStart = STATUS_OFFSET;
  if (head.status < 100 || head.status > 599) return refuse(head, FAULTS.statusLine);
  let i = REASON_OFFSET;
  if (i < end && bytes[i] !== BYTE.space && bytes[i] !== BYTE.cr) return refuse(head, FAULTS.statusLine);
  while (i < end && (CLASS_OF[bytes[i]!]! & CHAR.value) !== 0) i++;
  if (i >= end) return INCOMPLETE;
  if (bytes[i] !== BYTE.cr)
    return refuse(head, bytes[i] === BYTE.lf ? FAULTS.bareLineFeed : FAULTS.statusLine);
  if (i + 1 >= end) return INCOMPLETE;
  if (bytes[i + 1] !== BYTE.lf) return refuse(head, FAULTS.bareCarriageReturn);
  head.lineEnd = i;
  return i + 2;
}

function isStatusLineByte(byte: number, at: number): boolean {
  if (at < PREFIX.length) return byte === PREFIX[at];
  if (at === PREFIX.length + 1) return byte === BYTE.space;
  return (CLASS_OF[byte]! & CHAR.digit) !== 0;
}

function refuse(head: ResponseHead, fault: HttpFault): number {
  head.fault = fault;
  return FAULTY;
}
