import {
  answered,
  badGateway,
  broken,
  chunked,
  length,
  type ResponseCase,
  response,
  untilClose,
} from '../verdicts.ts';

/** RFC 9112 sections 6.1 and 7.1. */

const OK = 'HTTP/1.1 200 OK\r\n';
const HEAD = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

const valid = (name: string, wire: string, payload: string): ResponseCase =>
  response(name, '9112 7.1', HEAD + wire, answered(200, chunked(payload, wire)));
const invalid = (name: string, wire: string, payload = ''): ResponseCase =>
  response(name, '9112 7.1', HEAD + wire, broken(200, payload));
const coding = (name: string, value: string): ResponseCase =>
  response(name, '9112 6.1', `${OK}Transfer-Encoding: ${value}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`, badGateway);

const CHUNKS = '5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n';

export const chunkedBodies: readonly ResponseCase[] = [
  valid('one chunk', '5\r\nhello\r\n0\r\n\r\n', 'hello'),
  valid('two chunks', CHUNKS, 'hello!'),
  valid('no chunk', '0\r\n\r\n', ''),
  valid('capitals and zeros', '00A\r\n0123456789\r\n000\r\n\r\n', '0123456789'),
  valid('extensions', '5;a=b;c="d;\\"e"\r\nhello\r\n0;f\r\n\r\n', 'hello'),
  valid('trailers', '5\r\nhello\r\n0\r\nX: y\r\nGrpc-Status: 0\r\n\r\n', 'hello'),
  valid('chunks in the data', '5\r\n0\r\n\r\n\r\n0\r\n\r\n', '0\r\n\r\n'),
  response('to POST', '9112 7.1', HEAD + CHUNKS, answered(200, chunked('hello!')), { asked: 'POST' }),
  response(
    'to 1.0, without the coding',
    '9112 7.1',
    HEAD + CHUNKS,
    answered(200, untilClose('hello!'), { backend: 'kept', hides: ['transfer-encoding'] }),
    { asked: 'GET in 1.0' },
  ),
  response(
    'to 1.0 with keep-alive, all the same',
    '9112 7.1',
    HEAD + CHUNKS,
    answered(200, untilClose('hello!'), { backend: 'kept', hides: ['transfer-encoding'] }),
    { asked: 'GET in 1.0 with keep-alive' },
  ),
  response(
    'trailers do not reach 1.0',
    '9112 7.1.2',
    `${HEAD}5\r\nhello\r\n0\r\nX: y\r\n\r\n`,
    answered(200, untilClose('hello'), { backend: 'kept' }),
    { asked: 'GET in 1.0' },
  ),
  response(
    'bytes behind it',
    '9112 7.1',
    `${HEAD}0\r\n\r\nX`,
    answered(200, chunked(''), { backend: 'closed' }),
  ),
  response(
    'a response behind it',
    '9112 9.3.2',
    `${HEAD}0\r\n\r\n${OK}Content-Length: 0\r\n\r\n`,
    answered(200, chunked(''), { backend: 'closed' }),
  ),
  response(
    'and the connection closes',
    '9112 9.6',
    `${OK}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`,
    answered(200, chunked('hello!'), { backend: 'closed' }),
  ),
  response(
    'any case',
    '9112 7',
    `${OK}transfer-encoding:CHUNKED\r\n\r\n${CHUNKS}`,
    answered(200, chunked('hello!')),
  ),
  response(
    'of an error',
    '9112 7',
    `HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`,
    answered(500, chunked('hello!')),
  ),
];

export const badChunks: readonly ResponseCase[] = [
  invalid('a letter for a size', 'g\r\nhello\r\n0\r\n\r\n'),
  invalid('an empty size', '\r\nhello\r\n'),
  invalid('a space before the size', ' 5\r\nhello\r\n0\r\n\r\n'),
  invalid('a space behind the size', '5 \r\nhello\r\n0\r\n\r\n'),
  invalid('a prefix', '0x5\r\nhello\r\n0\r\n\r\n'),
  invalid('a minus', '-5\r\nhello\r\n0\r\n\r\n'),
  invalid('2^64 + 5', '10000000000000005\r\nhello\r\n0\r\n\r\n'),
  invalid('LF alone behind the size', '5\nhello\r\n0\r\n\r\n'),
  invalid('LF alone in an extension', '5;a\nhello\r\n0\r\n\r\n'),
  invalid('LF alone behind the data', '5\r\nhello\n0\r\n\r\n', 'hello'),
  invalid('CR and another byte behind the data', '5\r\nhello\rX0\r\n\r\n', 'hello'),
  invalid('data that is too long', '5\r\nhello!\r\n0\r\n\r\n', 'hello'),
  invalid('a malformed trailer', '5\r\nhello\r\n0\r\nX : y\r\n\r\n', 'hello'),
  invalid('a length in the trailers', '5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n', 'hello'),
  invalid('a folded trailer', '5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n', 'hello'),
  invalid('no blank line at the end', '5\r\nhello\r\n0\r\n\n', 'hello'),
  response('a bad size, to 1.0', '9112 7.1', `${HEAD}5\r\nhello\r\nx`, broken(200, 'hello'), {
    asked: 'GET in 1.0',
  }),
];

export const codings: readonly ResponseCase[] = [
  coding('gzip', 'gzip'),
  coding('gzip, chunked', 'gzip, chunked'),
  coding('chunked, gzip', 'chunked, gzip'),
  coding('chunked twice', 'chunked, chunked'),
  coding('identity', 'identity'),
  coding('empty', ''),
  coding('a parameter', 'chunked;a=b'),
  coding('a letter before', 'xchunked'),
  coding('a tab before', '\tchunked'),
  coding('a tab behind', 'chunked\t'),
  coding('a vertical tab before', '\x0bchunked'),
  coding('quotes', '"chunked"'),
  coding('two lines', 'chunked\r\nTransfer-Encoding: chunked'),
  coding('two lines, one unknown', 'x\r\nTransfer-Encoding: chunked'),
  response(
    'a space before the colon',
    '9112 5.1',
    `${OK}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
    badGateway,
  ),
  response(
    'in 1.0',
    '9112 6.1',
    'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    badGateway,
  ),
  response(
    'an underscore in the name',
    '9110 5.1',
    `${OK}Transfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello`,
    answered(200, length('hello')),
  ),
];
