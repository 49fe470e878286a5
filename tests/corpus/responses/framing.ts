import {
  answered,
  badGateway,
  broken,
  length,
  type ResponseCase,
  response,
  untilClose,
} from '../verdicts.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const hello = length('hello');
const closes = { behind: 'closes' } as const;

/** RFC 9112 section 6.3 and RFC 9110 section 8.6. */
export const lengths: readonly ResponseCase[] = [
  response('a body', '9112 6.3', `${OK}Content-Length: 5\r\n\r\nhello`, answered(200, hello)),
  response('leading zeros', '9110 8.6', `${OK}Content-Length: 005\r\n\r\nhello`, answered(200, hello)),
  response(
    'a body of any bytes',
    '9112 6.3',
    `${OK}Content-Length: 4\r\n\r\n\0\r\n\xff`,
    answered(200, length('\0\r\n\xff')),
  ),
  response(
    'a body that looks like a response',
    '9112 6.3',
    `${OK}Content-Length: 19\r\n\r\nHTTP/1.1 200 OK\r\n\r\n`,
    answered(200, length('HTTP/1.1 200 OK\r\n\r\n')),
  ),
  response('to POST', '9112 6.3', `${OK}Content-Length: 5\r\n\r\nhello`, answered(200, hello), {
    asked: 'POST',
  }),
  response(
    'to 1.0',
    '9112 6.3',
    `${OK}Content-Length: 5\r\n\r\nhello`,
    answered(200, hello, { client: 'closed' }),
    { asked: 'GET in 1.0' },
  ),
  response(
    'to 1.0 with keep-alive',
    '9112 6.3',
    `${OK}Content-Length: 5\r\n\r\nhello`,
    answered(200, hello, { sees: ['connection: keep-alive'] }),
    { asked: 'GET in 1.0 with keep-alive' },
  ),
  response(
    'and the connection closes',
    '9112 9.6',
    `${OK}Content-Length: 5\r\n\r\nhello`,
    answered(200, hello, { backend: 'closed' }),
    closes,
  ),
  response('too few bytes', '9112 8', `${OK}Content-Length: 5\r\n\r\nhell`, broken(200, 'hell'), closes),
  response('no bytes', '9112 8', `${OK}Content-Length: 5\r\n\r\n`, broken(200), closes),
  response(
    'too many bytes',
    '9112 6.3',
    `${OK}Content-Length: 5\r\n\r\nhello!`,
    answered(200, hello, { backend: 'closed' }),
  ),
  response(
    'two responses for one request',
    '9112 9.3.2',
    `${OK}Content-Length: 0\r\n\r\n${OK}Content-Length: 5\r\n\r\nhello`,
    answered(200, length(''), { backend: 'closed' }),
  ),
  response(
    'CRLF behind the body',
    '9112 6.3',
    `${OK}Content-Length: 5\r\n\r\nhello\r\n`,
    answered(200, hello, { backend: 'closed' }),
  ),
  response('negative', '9110 8.6', `${OK}Content-Length: -1\r\n\r\n`, badGateway),
  response('a plus sign', '9110 8.6', `${OK}Content-Length: +5\r\n\r\nhello`, badGateway),
  response('empty', '9110 8.6', `${OK}Content-Length:\r\n\r\n`, badGateway),
  response('hexadecimal', '9110 8.6', `${OK}Content-Length: 0x5\r\n\r\nhello`, badGateway),
  response('2^64 + 5', '9110 8.6', `${OK}Content-Length: 18446744073709551621\r\n\r\nhello`, badGateway),
  response('a list', '9110 8.6', `${OK}Content-Length: 5, 5\r\n\r\nhello`, badGateway),
  response(
    'two that are equal',
    '9110 8.6',
    `${OK}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`,
    badGateway,
  ),
  response(
    'two that differ',
    '9112 6.3',
    `${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`,
    badGateway,
  ),
  response(
    'a length and a coding',
    '9112 6.3',
    `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    badGateway,
  ),
  response(
    'a coding and a length',
    '9112 6.3',
    `${OK}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
    badGateway,
  ),
];

export const untilTheEnd: readonly ResponseCase[] = [
  response('a body', '9112 6.3', `${OK}\r\nhello`, answered(200, untilClose('hello')), closes),
  response('no body', '9112 6.3', `${OK}\r\n`, answered(200, untilClose('')), closes),
  response(
    'keep-alive does not help',
    '9112 6.3',
    `${OK}Connection: keep-alive\r\n\r\nhello`,
    answered(200, untilClose('hello')),
    closes,
  ),
  response('of 1.0', '9112 6.3', 'HTTP/1.0 200 OK\r\n\r\nhello', answered(200, untilClose('hello')), closes),
  response('to 1.0', '9112 6.3', `${OK}\r\nhello`, answered(200, untilClose('hello')), {
    asked: 'GET in 1.0',
    ...closes,
  }),
  response(
    'to 1.0 with keep-alive',
    '9112 6.3',
    `${OK}\r\nhello`,
    answered(200, untilClose('hello'), { hides: ['keep-alive'] }),
    { asked: 'GET in 1.0 with keep-alive', ...closes },
  ),
  response(
    'what looks like the next response',
    '9112 6.3',
    `${OK}\r\n${OK}\r\n`,
    answered(200, untilClose(`${OK}\r\n`)),
    closes,
  ),
  response(
    'a body of 404',
    '9112 6.3',
    'HTTP/1.1 404 X\r\n\r\ngone',
    answered(404, untilClose('gone')),
    closes,
  ),
];
