import { BYTE, CHAR, CLASS_OF } from './chars.ts';
import { FAULTS, type HttpFault } from './faults.ts';
import { equalsLower } from './field-names.ts';
import { FAULTY, INCOMPLETE } from './field-table.ts';

/** What a request line says, as far as `scanRequestLine` fills it in. */
export interface RequestLine {
  method: string;
  lineStart: number;
  pathStart: number;
  pathEnd: number;
  targetEnd: number;
  authorityStart: number;
  authorityEnd: number;
  defaultPort: string;
  minor: number;
  fault: HttpFault;
}

const METHOD_BYTES_MAX = 32;
const VERSION_BYTES = 8;
const HTTP = Buffer.from('HTTP/');
const SCHEMES = [
  { prefix: Buffer.from('http://'), defaultPort: '80' },
  { prefix: Buffer.from('https://'), defaultPort: '443' },
];
const SCHEME_BYTES_MAX = 8;

/**
 * Scans `method SP request-target SP HTTP-version CRLF` (RFC 9112 section 3) from the beginning of `bytes[0..end)`, after
 * empty lines, which section 2.2 says to ignore. Answers like `scanFields`.
 */
export function scanRequestLine(bytes: Buffer, end: number, line: RequestLine): number {
  const start = skipEmptyLines(bytes, end);
  if (start >= end) return INCOMPLETE;
  let i = start;
  while (i < end && (CLASS_OF[bytes[i]!]! & CHAR.token) !== 0) i++;
  if (i - start > METHOD_BYTES_MAX) return refuse(line, FAULTS.method);
  if (i >= end) return INCOMPLETE;
  if (bytes[i] !== BYTE.space || i === start)
    return refuse(line, bytes[i] === BYTE.lf ? FAULTS.bareLineFeed : FAULTS.method);
  line.lineStart = start;
  line.method = methodOf(bytes, start, i);
  const targetStart = i + 1;
  const targetEnd = scanTarget(bytes, targetStart, end, line);
  if (targetEnd <= 0) return targetEnd;
  return scanVersion(bytes, targetEnd + 1, end, line);
}

function skipEmptyLines(bytes: Buffer, end: number): number {
  let i = 0;
  while (i + 1 < end && bytes[i] === BYTE.cr && bytes[i + 1] === BYTE.lf) i += 2;
  // A CR alone may become an empty line: wait for what follows.
  return i + 1 === end && bytes[i] === BYTE.cr ? end : i;
}

/** GET is most of all requests; the constant saves making a string. */
function methodOf(bytes: Buffer, start: number, end: number): string {
  if (end - start === 3 && bytes[start] === 71 && bytes[start + 1] === 69 && bytes[start + 2] === 84)
    return 'GET';
  return bytes.toString('latin1', start, end);
}

function scanTarget(bytes: Buffer, start: number, end: number, line: RequestLine): number {
  let i = start;
  let query = -1;
  while (i < end && (CLASS_OF[bytes[i]!]! & CHAR.target) !== 0) {
    if (query < 0 && bytes[i] === BYTE.question) query = i;
    i++;
  }
  if (i >= end) return INCOMPLETE;
  if (bytes[i] !== BYTE.space || i === start)
    return refuse(line, bytes[i] === BYTE.lf ? FAULTS.bareLineFeed : FAULTS.target);
  if (line.method === 'CONNECT') return refuse(line, FAULTS.connect);
  // The method that starts the HTTP/2 connection preface means nothing else.
  if (line.method === 'PRI')
    return refuse(line, bytes[start] === BYTE.star && i === start + 1 ? FAULTS.preface : FAULTS.version);
  line.targetEnd = i;
  line.pathStart = start;
  line.pathEnd = query < 0 ? i : query;
  line.authorityStart = 0;
  line.authorityEnd = 0;
  line.defaultPort = '80';
  if (bytes[start] === BYTE.slash) return i;
  if (bytes[start] === BYTE.star && i === start + 1) {
    // RFC 9112 section 3.2.4.
    return line.method === 'OPTIONS' ? i : refuse(line, FAULTS.targetForm);
  }
  return splitAbsolute(bytes, start, line) ? i : refuse(line, FAULTS.target);
}

/** RFC 9112 section 3.2.2. Userinfo is refused: it only ever served to mislead (RFC 9110 section 4.2.4). */
function splitAbsolute(bytes: Buffer, start: number, line: RequestLine): boolean {
  if (line.targetEnd - start < SCHEME_BYTES_MAX) return false;
  const scheme = SCHEMES.find(({ prefix }) => equalsLower(bytes, start, prefix));
  if (scheme === undefined) return false;
  const authorityStart = start + scheme.prefix.length;
  let i = authorityStart;
  while (i < line.pathEnd && bytes[i] !== BYTE.slash) {
    if (bytes[i] === BYTE.at) return false;
    i++;
  }
  line.authorityStart = authorityStart;
  line.authorityEnd = i;
  line.defaultPort = scheme.defaultPort;
  line.pathStart = i;
  return i > authorityStart;
}

function scanVersion(bytes: Buffer, start: number, end: number, line: RequestLine): number {
  const stop = start + VERSION_BYTES;
  // Judged byte by byte as far as it is there, so that a bad version does not wait for a line end that never comes.
  for (let i = start; i < stop; i++) {
    if (i >= end) return INCOMPLETE;
    if (!isVersionByte(bytes[i]!, i - start)) return refuse(line, FAULTS.requestLine);
  }
  if (stop >= end) return INCOMPLETE;
  if (bytes[stop] !== BYTE.cr)
    return refuse(line, bytes[stop] === BYTE.lf ? FAULTS.bareLineFeed : FAULTS.requestLine);
  if (stop + 1 >= end) return INCOMPLETE;
  if (bytes[stop + 1] !== BYTE.lf) return refuse(line, FAULTS.bareCarriageReturn);
  if (bytes[start + 5] !== 49) return refuse(line, FAULTS.version);
  line.minor = bytes[start + 7] === BYTE.zero ? 0 : 1;
  return stop + 2;
}

function isVersionByte(byte: number, at: number): boolean {
  if (at < HTTP.length) return byte === HTTP[at];
  return at === 6 ? byte === 46 : (CLASS_OF[byte]! & CHAR.digit) !== 0;
}

function refuse(line: RequestLine, fault: HttpFault): number {
  line.fault = fault;
  return FAULTY;
}
