import { chunked, forwarded, length, type RequestCase, refused, request, unfinished } from '../verdicts.ts';

/** The limits of the gateway that the corpus runs on. */
export const CORPUS_LIMITS = { headerBytes: 2048, headerCount: 32, requestBodyBytes: 4096 };

const { headerBytes, headerCount, requestBodyBytes } = CORPUS_LIMITS;

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\n';

/** A head of exactly so many bytes, made long by its value. */
const headOf = (bytes: number): string => `${GET}X: ${'x'.repeat(bytes - GET.length - 7)}\r\n\r\n`;

const fields = (count: number): string => `${GET}${'X: y\r\n'.repeat(count - 1)}\r\n`;
const body = (bytes: number): string => 'x'.repeat(bytes);
const chunksOf = (count: number): string => `400\r\n${body(1024)}\r\n`.repeat(count);
const CODED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;

/** RFC 9110 sections 5.4, 15.5.14 and RFC 6585 section 5. */
export const limits: readonly RequestCase[] = [
  request('the longest head', '9110 5.4', headOf(headerBytes), forwarded('GET /')),
  request('a head that is one byte longer', '6585 5', headOf(headerBytes + 1), refused(431)),
  request('a head of twice the length', '6585 5', headOf(2 * headerBytes), refused(431)),
  request(
    'a long target',
    '9112 3',
    `GET /${'x'.repeat(1500)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    forwarded(`GET /${'x'.repeat(1500)}`),
  ),
  request(
    'a target longer than a head',
    '6585 5',
    `GET /${'x'.repeat(headerBytes)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    refused(431),
  ),
  request('a name longer than a head', '6585 5', `${GET}${'x'.repeat(headerBytes)}: y\r\n\r\n`, refused(431)),
  request('nothing but empty lines', '6585 5', '\r\n'.repeat(headerBytes), refused(431)),
  request('blanks longer than a head', '6585 5', `${GET}X:${' '.repeat(headerBytes)}y\r\n\r\n`, refused(431)),
  request(
    'a long name',
    '9110 5.1',
    `${GET}${'x'.repeat(300)}: y\r\n\r\n`,
    forwarded('GET /', undefined, { sees: [`${'x'.repeat(300)}: y`] }),
  ),
  request('the most fields', '9110 5.4', fields(headerCount), forwarded('GET /')),
  request('one field more', '6585 5', fields(headerCount + 1), refused(431)),
  request('a hundred fields', '6585 5', fields(100), refused(431)),
  request(
    'the longest body',
    '9110 15.5.14',
    `${POST}Content-Length: ${requestBodyBytes}\r\n\r\n${body(requestBodyBytes)}`,
    forwarded('POST /', length(body(requestBodyBytes))),
  ),
  request(
    'a body that is one byte longer',
    '9110 15.5.14',
    `${POST}Content-Length: ${requestBodyBytes + 1}\r\n\r\n${body(requestBodyBytes + 1)}`,
    refused(413),
  ),
  request(
    'a long body that is announced only',
    '9110 15.5.14',
    `${POST}Content-Length: ${requestBodyBytes + 1}\r\n\r\n`,
    refused(413),
  ),
  request(
    'a long body of which Expect asks',
    '9110 10.1.1',
    `${POST}Expect: 100-continue\r\nContent-Length: ${requestBodyBytes + 1}\r\n\r\n`,
    refused(413),
  ),
  request(
    'the longest chunked body',
    '9110 15.5.14',
    `${CODED}${chunksOf(4)}0\r\n\r\n`,
    forwarded('POST /', chunked(body(4096))),
  ),
  request(
    'a chunked body of one byte more',
    '9110 15.5.14',
    `${CODED}${chunksOf(4)}1\r\nx\r\n0\r\n\r\n`,
    refused(413),
  ),
  request(
    'a chunk that is announced only',
    '9110 15.5.14',
    `${CODED}${(requestBodyBytes + 1).toString(16)}\r\n`,
    refused(413),
  ),
  request('a head that never ends', '9112 8', `${GET}X: y`, unfinished),
  request('a request line that never ends', '9112 8', 'GET / HTT', unfinished),
  request('one CR', '9112 8', '\r', unfinished),
];
