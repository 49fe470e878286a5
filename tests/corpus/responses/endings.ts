import {
  answered,
  badGateway,
  broken,
  chunked,
  length,
  none,
  type ResponseCase,
  response,
  untilClose,
} from '../verdicts.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const hello = length('hello');
const closes = { behind: 'closes' } as const;

/** Statuses and methods whose responses end with their heads: RFC 9112 section 6.3, rule 1. */
export const bodiless: readonly ResponseCase[] = [
  response('204', '9110 15.3.5', 'HTTP/1.1 204 No Content\r\n\r\n', answered(204, none)),
  response(
    '204 with a length loses it',
    '9110 8.6',
    'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n',
    answered(204, none, { hides: ['content-length'] }),
  ),
  response(
    '204 with a coding loses it',
    '9112 6.1',
    'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n',
    answered(204, none, { hides: ['transfer-encoding'] }),
  ),
  response(
    '204 with a body',
    '9110 15.3.5',
    'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello',
    answered(204, none, { backend: 'closed' }),
  ),
  response(
    '205 without a length',
    '9110 15.3.6',
    'HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n',
    answered(205, length('')),
  ),
  response(
    '304',
    '9110 15.4.5',
    'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n',
    answered(304, none, { sees: ['ETag: "x"'] }),
  ),
  response(
    '304 with a length keeps it',
    '9110 8.6',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n',
    answered(304, none, { sees: ['Content-Length: 9'] }),
  ),
  response(
    '304 with a body',
    '9110 15.4.5',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello',
    answered(304, none, { backend: 'closed' }),
  ),
  response(
    '304 of two lengths',
    '9112 6.3',
    'HTTP/1.1 304 X\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n',
    badGateway,
  ),
  response(
    'to HEAD, with a length',
    '9110 9.3.2',
    `${OK}Content-Length: 5\r\n\r\n`,
    answered(200, none, { sees: ['Content-Length: 5'] }),
    { asked: 'HEAD' },
  ),
  response('to HEAD, without', '9110 9.3.2', `${OK}\r\n`, answered(200, none), { asked: 'HEAD' }),
  response(
    'to HEAD, chunked',
    '9110 9.3.2',
    `${OK}Transfer-Encoding: chunked\r\n\r\n`,
    answered(200, none, { sees: ['Transfer-Encoding: chunked'] }),
    { asked: 'HEAD' },
  ),
  response(
    'to HEAD, chunked, in 1.0',
    '9112 6.1',
    `${OK}Transfer-Encoding: chunked\r\n\r\n`,
    answered(200, none, { client: 'closed', hides: ['transfer-encoding'] }),
    { asked: 'HEAD in 1.0' },
  ),
  response(
    'to HEAD, with a body',
    '9110 9.3.2',
    `${OK}Content-Length: 5\r\n\r\nhello`,
    answered(200, none, { backend: 'closed' }),
    { asked: 'HEAD' },
  ),
  response(
    'to HEAD, of two framings',
    '9112 6.3',
    `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`,
    answered(502, none, { backend: 'closed' }),
    { asked: 'HEAD' },
  ),
];

/** RFC 9110 section 15.2. */
export const informational: readonly ResponseCase[] = [
  response(
    '100',
    '9110 15.2.1',
    `HTTP/1.1 100 Continue\r\n\r\n${OK}Content-Length: 5\r\n\r\nhello`,
    answered(200, hello, { informational: [100] }),
  ),
  response(
    '103 with its fields',
    '8297 2',
    `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}Content-Length: 5\r\n\r\nhello`,
    answered(200, hello, { informational: [103] }),
  ),
  response(
    '100, 102 and 103',
    '9110 15.2',
    `HTTP/1.1 100 C\r\n\r\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 E\r\n\r\n${OK}Content-Length: 5\r\n\r\nhello`,
    answered(200, hello, { informational: [100, 102, 103] }),
  ),
  response(
    'an unknown one',
    '9110 15.2',
    `HTTP/1.1 199 X\r\n\r\n${OK}Content-Length: 5\r\n\r\nhello`,
    answered(200, hello, { informational: [199] }),
  ),
  response(
    'one with a length loses it',
    '9110 8.6',
    `HTTP/1.1 103 X\r\nContent-Length: 3\r\n\r\n${OK}Content-Length: 5\r\n\r\nhello`,
    answered(200, hello, { informational: [103] }),
  ),
  response(
    'not to 1.0',
    '9110 15.2',
    `HTTP/1.1 103 X\r\n\r\n${OK}Content-Length: 5\r\n\r\nhello`,
    answered(200, hello, { client: 'closed' }),
    { asked: 'GET in 1.0' },
  ),
  response(
    'before a body until the end',
    '9110 15.2',
    `HTTP/1.1 103 X\r\n\r\n${OK}\r\nhello`,
    answered(200, untilClose('hello'), { informational: [103] }),
    closes,
  ),
  response(
    'nothing behind it',
    '9112 8',
    'HTTP/1.1 100 Continue\r\n\r\n',
    answered(502, length(''), { informational: [100], backend: 'closed' }),
    closes,
  ),
  response(
    'garbage behind it',
    '9112 4',
    'HTTP/1.1 100 Continue\r\n\r\nhello',
    answered(502, length(''), { informational: [100], backend: 'closed' }),
  ),
  response(
    'without end',
    '9110 15.2',
    'HTTP/1.1 103 X\r\n\r\n'.repeat(20),
    answered(502, length(''), { informational: Array.from({ length: 16 }, () => 103), backend: 'closed' }),
  ),
  response(
    'a switch that nobody asked for',
    '9110 15.2.2',
    'HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
    badGateway,
  ),
  response('100 with a malformed field', '9112 5', 'HTTP/1.1 100 X\r\nX : y\r\n\r\n', badGateway),
];

/** RFC 9112 section 8: a connection that ends before the response does. */
export const brokenOff: readonly ResponseCase[] = [
  response('nothing at all', '9112 8', '', badGateway, closes),
  response('nothing at all, to POST', '9112 8', '', badGateway, { asked: 'POST', ...closes }),
  response('half a status line', '9112 8', 'HTTP/1.1 20', badGateway, closes),
  response('half a head', '9112 8', `${OK}Content-Le`, badGateway, closes),
  response('a head without its blank line', '9112 8', `${OK}Content-Length: 0\r\n`, badGateway, closes),
  response(
    'half a chunked body',
    '9112 8',
    `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhel`,
    broken(200, 'hel'),
    closes,
  ),
  response(
    'a chunked body without its last chunk',
    '9112 8',
    `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`,
    broken(200, 'hello'),
    closes,
  ),
  response(
    'a chunked body without its last line',
    '9112 8',
    `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n`,
    broken(200, 'hello'),
    closes,
  ),
  response(
    'half a chunked body, to 1.0',
    '9112 8',
    `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhel`,
    broken(200, 'hel'),
    { asked: 'GET in 1.0', ...closes },
  ),
  response('no chunk, to 1.0', '9112 8', `${OK}Transfer-Encoding: chunked\r\n\r\n`, broken(200), {
    asked: 'GET in 1.0',
    ...closes,
  }),
  response(
    'a whole chunked body',
    '9112 8',
    `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    answered(200, chunked('hello'), { backend: 'closed' }),
    closes,
  ),
];
