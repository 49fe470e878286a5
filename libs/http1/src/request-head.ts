import { comparableAuthority, hostEnd } from './authority.ts';
import { CONNECTION, readConnectionOptions } from './connection-options.ts';
import { FAULTS, type HttpFault } from './faults.ts';
import { equalsLower, FIELD } from './field-names.ts';
import { FAULTY, FIELD_LINES_MAX, FieldTable, INCOMPLETE, scanFields } from './field-table.ts';
import { type BodyKind, type Framing, frameRequest } from './framing.ts';
import type { HeadLimits } from './head-limits.ts';
import { scanRequestLine } from './request-line.ts';

const DIGIT_ONE = 49;
const CONTINUE = Buffer.from('100-continue');

/**
 * One request head, overwritten by each `parseRequestHead`. Offsets are into `text`. Everything that a proxy decides
 * from is decided once here.
 */
export class RequestHead implements Framing {
  readonly fields = new FieldTable();
  /** The head as latin1: one character per byte. */
  text = '';
  method = '';
  /** Offset of the request line: behind the empty lines before it. */
  lineStart = 0;
  /** Offsets of the path and query as they go to a backend; `pathEnd` is where the query, if any, begins. */
  pathStart = 0;
  pathEnd = 0;
  targetEnd = 0;
  /** Offsets of the authority of a target in absolute form; equal when it has none. */
  authorityStart = 0;
  authorityEnd = 0;
  /** 443 for an absolute target of scheme https, else 80. */
  defaultPort = '80';
  /** 1 also for minor versions above 1, which are answered as 1.1 (RFC 9110 section 2.5). */
  minor = 1;
  body: BodyKind = 'none';
  length = 0;
  /** Host without port as the client wrote it; empty when an HTTP/1.0 request names none. */
  host = '';
  /** Value of the Host header or, without one, the authority of the target. */
  authority = '';
  /** The client wants the connection to stay. */
  persistent = true;
  expectsContinue = false;
  fault: HttpFault = FAULTS.requestLine;

  /** The request line as it goes to a backend, with its CRLF: origin form (RFC 9112 section 3.2.1), HTTP/1.1. */
  get forwardLine(): string {
    const { text, fields } = this;
    const asReceived = this.authorityEnd === 0 && text.charCodeAt(fields.start - 3) === DIGIT_ONE;
    if (asReceived) return text.slice(this.lineStart, fields.start);
    const target = text.slice(this.pathStart, this.targetEnd);
    return `${this.method} ${this.rooted(target)} HTTP/1.1\r\n`;
  }

  /** An absolute target without a path means the root, or for OPTIONS the server itself (RFC 9112 section 3.2.4). */
  private rooted(target: string): string {
    if (this.pathStart < this.pathEnd) return target;
    return this.method === 'OPTIONS' && target === '' ? '*' : `/${target}`;
  }

  /** Path as received, without the query; `/` where an absolute target has none. */
  get path(): string {
    return this.pathStart === this.pathEnd ? '/' : this.text.slice(this.pathStart, this.pathEnd);
  }
}

/**
 * Parses a request head strictly (RFC 9112) from the beginning of `bytes[0..end)`. Answers with the offset after its
 * blank line; INCOMPLETE when more bytes are needed; FAULTY with `head.fault` set when it is not canonical, which can be
 * known before it is complete. The answer does not depend on how the bytes were split.
 */
export function parseRequestHead(bytes: Buffer, end: number, limits: HeadLimits, head: RequestHead): number {
  const stop = Math.min(end, limits.headerBytes);
  const lineEnd = scanRequestLine(bytes, stop, head);
  if (lineEnd === FAULTY) return FAULTY;
  const headEnd =
    lineEnd === INCOMPLETE
      ? INCOMPLETE
      : scanFields(bytes, lineEnd, stop, Math.min(limits.headerCount, FIELD_LINES_MAX), head.fields);
  if (headEnd === FAULTY) return refuse(head, head.fields.fault);
  if (headEnd === INCOMPLETE)
    return end >= limits.headerBytes ? refuse(head, FAULTS.headTooLarge) : INCOMPLETE;
  head.text = bytes.toString('latin1', 0, headEnd);
  const fault = judge(bytes, head);
  return fault === undefined ? headEnd : refuse(head, fault);
}

function judge(bytes: Buffer, head: RequestHead): HttpFault | undefined {
  const fields = head.fields;
  const fault = judgeHost(bytes, head) ?? frameRequest(bytes, fields, head.minor, head);
  if (fault !== undefined) return fault;
  const options = readConnectionOptions(bytes, fields);
  if (options === FAULTY) return FAULTS.connectionOption;
  head.persistent =
    head.minor === 0
      ? (options & (CONNECTION.keepAlive | CONNECTION.close)) === CONNECTION.keepAlive
      : (options & CONNECTION.close) === 0;
  head.expectsContinue = false;
  return fields.has(FIELD.expect) ? judgeExpectation(bytes, head) : undefined;
}

/** Exactly one valid Host (RFC 9112 section 3.2), which agrees with the target when that has an authority. */
function judgeHost(bytes: Buffer, head: RequestHead): HttpFault | undefined {
  const fields = head.fields;
  const absolute = head.authorityEnd > head.authorityStart;
  if (!fields.has(FIELD.host)) {
    if (head.minor > 0) return FAULTS.hostMissing;
    if (!absolute) {
      head.host = '';
      head.authority = '';
      return undefined;
    }
    return takeHost(bytes, head, head.authorityStart, head.authorityEnd) ? undefined : FAULTS.target;
  }
  if (fields.isRepeated(FIELD.host)) return FAULTS.hostRepeated;
  const line = fields.first(FIELD.host);
  if (!takeHost(bytes, head, fields.valueStart(line), fields.valueEnd(line))) return FAULTS.host;
  if (!absolute) return undefined;
  if (hostEnd(bytes, head.authorityStart, head.authorityEnd) < 0) return FAULTS.target;
  const named = head.text.slice(head.authorityStart, head.authorityEnd);
  return comparableAuthority(named, head.defaultPort) ===
    comparableAuthority(head.authority, head.defaultPort)
    ? undefined
    : FAULTS.hostMismatch;
}

function takeHost(bytes: Buffer, head: RequestHead, start: number, end: number): boolean {
  const colon = hostEnd(bytes, start, end);
  if (colon < 0) return false;
  head.authority = head.text.slice(start, end);
  head.host = colon === end ? head.authority : head.text.slice(start, colon);
  return true;
}

/** RFC 9110 section 10.1.1: the only expectation there is; one in HTTP/1.0 is ignored. */
function judgeExpectation(bytes: Buffer, head: RequestHead): HttpFault | undefined {
  if (head.minor === 0) return undefined;
  const fields = head.fields;
  const line = fields.first(FIELD.expect);
  const start = fields.valueStart(line);
  const known =
    !fields.isRepeated(FIELD.expect) &&
    fields.valueEnd(line) - start === CONTINUE.length &&
    equalsLower(bytes, start, CONTINUE);
  head.expectsContinue = known;
  return known ? undefined : FAULTS.expectation;
}

function refuse(head: RequestHead, fault: HttpFault): number {
  head.fault = fault;
  return FAULTY;
}
