import { chunked, forwarded, length, type RequestCase, refused, request } from '../verdicts.ts';

/**
 * Requests that carry another one, for a proxy and a backend that disagree about where the first one ends. None of
 * them may reach the backend as more, or as others, than the gateway counted. RFC 9112 sections 6.3 and 11.2.
 */

const POST = 'POST / HTTP/1.1\r\nHost: a\r\n';
const INNER = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
const both = (name: string, fields: string, body: string): RequestCase =>
  request(name, '9112 6.3', `${POST}${fields}\r\n\r\n${body}`, refused(400));

export const twoFramings: readonly RequestCase[] = [
  both('CL.TE', 'Content-Length: 6\r\nTransfer-Encoding: chunked', '0\r\n\r\nG'),
  both(
    'CL.TE with a whole request',
    `Content-Length: ${5 + INNER.length}\r\nTransfer-Encoding: chunked`,
    `0\r\n\r\n${INNER}`,
  ),
  both('TE.CL', 'Transfer-Encoding: chunked\r\nContent-Length: 4', `27\r\n${INNER}\r\n0\r\n\r\n`),
  both('TE.CL of length zero', 'Transfer-Encoding: chunked\r\nContent-Length: 0', `5\r\nhello\r\n0\r\n\r\n`),
  both('both, and they agree', 'Content-Length: 15\r\nTransfer-Encoding: chunked', '5\r\nhello\r\n0\r\n\r\n'),
  both('both, other fields between', 'Content-Length: 6\r\nX: y\r\nTransfer-Encoding: chunked', '0\r\n\r\nG'),
  both('both, any case', 'cONTENT-lENGTH: 6\r\ntRANSFER-eNCODING: cHUNKED', '0\r\n\r\nG'),
  both(
    'both, the coding nominated away',
    'Connection: transfer-encoding\r\nContent-Length: 6\r\nTransfer-Encoding: chunked',
    '0\r\n\r\nG',
  ),
  both(
    'both, the length nominated away',
    'Connection: content-length\r\nContent-Length: 6\r\nTransfer-Encoding: chunked',
    '0\r\n\r\nG',
  ),
  both(
    'two lengths, a request behind the first',
    `Content-Length: 0\r\nContent-Length: ${INNER.length}`,
    INNER,
  ),
  both(
    'two lengths, a request behind the second',
    `Content-Length: ${INNER.length}\r\nContent-Length: 0`,
    INNER,
  ),
  both('TE.TE', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: x', `0\r\n\r\n${INNER}`),
  both(
    'TE.0',
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
    `5\r\nhello\r\n0\r\n\r\n${INNER}`,
  ),
  both('CL.CL by a NUL', 'Content-Length: 5\0\r\nContent-Length: 0', 'hello'),
  both('CL by obs-fold', 'X: y\r\n Content-Length: 5', 'hello'),
  both('a bare CR hides the length', 'X: y\rContent-Length: 5', 'hello'),
  both('a bare LF hides the coding', 'X: y\nTransfer-Encoding: chunked', '0\r\n\r\n'),
  both('a bare LF hides the head’s end', 'X: y\n\nGET /smuggled HTTP/1.1', ''),
  both('a bare CR hides the head’s end', 'X: y\r\r\r\nGET /smuggled HTTP/1.1', ''),
];

/** Differences about a single chunk, as far as they can be written without breaking the grammar elsewhere. */
export const chunkTricks: readonly RequestCase[] = [
  both(
    'TERM.EXT: LF ends the extension',
    'Transfer-Encoding: chunked',
    `2;\nxx\r\n10\r\n\r\n0\r\n\r\n${INNER}`,
  ),
  both(
    'EXT.TERM: CR in the extension',
    'Transfer-Encoding: chunked',
    `2;\rxx\r\n10\r\n\r\n0\r\n\r\n${INNER}`,
  ),
  both(
    'TERM.SPILL: LF ends the data',
    'Transfer-Encoding: chunked',
    `5\r\nAAAAA\n2\r\n45\r\n0\r\n\r\n${INNER}`,
  ),
  both(
    'SPILL.TERM: two bytes end the data',
    'Transfer-Encoding: chunked',
    `5\r\nAAAAAXX2\r\n45\r\n0\r\n\r\n${INNER}`,
  ),
  both(
    'ONE.TWO: one byte ends the data',
    'Transfer-Encoding: chunked',
    `5\r\nAAAAA\r2\r\n45\r\n0\r\n\r\n${INNER}`,
  ),
  both(
    'ZERO.TWO: nothing ends the data',
    'Transfer-Encoding: chunked',
    `5\r\nAAAAA2\r\n45\r\n0\r\n\r\n${INNER}`,
  ),
  both(
    'a size that overflows 32 bits',
    'Transfer-Encoding: chunked',
    `100000000000000005\r\nhello\r\n0\r\n\r\n${INNER}`,
  ),
  both('a size with a prefix', 'Transfer-Encoding: chunked', `0x1\r\nX\r\n0\r\n\r\n${INNER}`),
  both(
    'a size that begins with a minus',
    'Transfer-Encoding: chunked',
    `-ffffffb\r\nhello\r\n0\r\n\r\n${INNER}`,
  ),
  both('an empty line for a size', 'Transfer-Encoding: chunked', `\r\n0\r\n\r\n${INNER}`),
  both('a size behind a space', 'Transfer-Encoding: chunked', ` 5\r\nhello\r\n0\r\n\r\n${INNER}`),
  both(
    'TR.MRG: a length in the trailers',
    'Transfer-Encoding: chunked',
    `0\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
  ),
  both('trailers that end in LF', 'Transfer-Encoding: chunked', `0\r\nX: y\n\n${INNER}`),
  both('a last chunk that ends in LF', 'Transfer-Encoding: chunked', `0\n\n${INNER}`),
];

/** What no framing gives to the first request is a request of its own, and is answered as one. */
export const ownRequests: readonly RequestCase[] = [
  request(
    'CL.0: a request behind an empty body',
    '9112 6.3',
    `${POST}Content-Length: 0\r\n\r\n${INNER}`,
    forwarded('POST /', length('')),
    forwarded('GET /smuggled'),
  ),
  request(
    '0.CL: a request behind a GET',
    '9112 6.3',
    `GET / HTTP/1.1\r\nHost: a\r\n\r\n${INNER}`,
    forwarded('GET /'),
    forwarded('GET /smuggled'),
  ),
  request(
    'a request inside of a body',
    '9112 6.3',
    `${POST}Content-Length: ${INNER.length}\r\n\r\n${INNER}`,
    forwarded('POST /', length(INNER)),
  ),
  request(
    'a request inside of a chunk',
    '9112 7.1',
    `${POST}Transfer-Encoding: chunked\r\n\r\n${INNER.length.toString(16)}\r\n${INNER}\r\n0\r\n\r\n`,
    forwarded('POST /', chunked(INNER)),
  ),
  request(
    'a request behind the last chunk',
    '9112 7.1',
    `${POST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${INNER}`,
    forwarded('POST /', chunked('')),
    forwarded('GET /smuggled'),
  ),
  request(
    'Expect and a request in the body',
    '9110 10.1.1',
    `${POST}Expect: 100-continue\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
    forwarded('POST /', length(INNER)),
  ),
  request(
    'Expect and a request behind a GET',
    '9110 10.1.1',
    `GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n${INNER}`,
    forwarded('GET /'),
    forwarded('GET /smuggled'),
  ),
  request(
    'an upgrade to clear-text HTTP/2 does not get through',
    '9110 7.8',
    `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n`,
    forwarded('GET /', undefined, { hides: ['upgrade', 'http2-settings', 'connection'] }),
  ),
  request(
    'a refused request and one behind it',
    '9112 6.3',
    `GET / HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n${INNER}`,
    refused(400),
  ),
  request(
    'a served request, a refused one, one behind it',
    '9112 9.3.2',
    `GET /1 HTTP/1.1\r\nHost: a\r\n\r\n${POST}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${INNER}`,
    forwarded('GET /1'),
    refused(400),
  ),
];
