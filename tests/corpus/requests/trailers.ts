import { chunked, forwarded, type RequestCase, refused, request, unfinished } from '../verdicts.ts';

/** RFC 9112 section 7.1.2 and RFC 9110 section 6.5: trailer fields pass unless they could change what was decided already. */

const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

const valid = (name: string, wire: string): RequestCase =>
  request(name, '9112 7.1.2', HEAD + wire, forwarded('POST /', chunked('hello', wire)));
const invalid = (name: string, trailer: string, section = '9112 7.1.2'): RequestCase =>
  request(name, section, `${HEAD}5\r\nhello\r\n0\r\n${trailer}\r\n\r\n`, refused(400));

export const trailers: readonly RequestCase[] = [
  valid('one field', '5\r\nhello\r\n0\r\nX: y\r\n\r\n'),
  valid('two fields', '5\r\nhello\r\n0\r\nX: y\r\nExpires: never\r\n\r\n'),
  valid('an empty value', '5\r\nhello\r\n0\r\nX:\r\n\r\n'),
  valid('high bytes in a value', '5\r\nhello\r\n0\r\nX: \xe4\xff\r\n\r\n'),
  valid('a checksum', '5\r\nhello\r\n0\r\nContent-MD5: XUFAKrxLKna5cZ2REBfFkg==\r\n\r\n'),
  valid('a request id', '5\r\nhello\r\n0\r\nX-Request-Id: y\r\n\r\n'),
  invalid('a space before the colon', 'X : y'),
  invalid('an empty name', ': y'),
  invalid('no colon', 'X'),
  invalid('a space inside the name', 'X Y: z'),
  invalid('a NUL in the name', 'X\0: y'),
  invalid('a NUL in the value', 'X: \0'),
  invalid('LF alone', 'X: y\nZ: z'),
  invalid('CR alone', 'X: y\rZ: z'),
  invalid('CR CR LF', 'X: y\r\r\nZ: z'),
  invalid('folded', 'X: y\r\n z'),
  invalid('folded from the start', ' X: y'),
  invalid('a request', 'GET /smuggled HTTP/1.1'),
  invalid('too long', `X: ${'y'.repeat(9000)}`),
  invalid('Content-Length', 'Content-Length: 5', '9110 6.5.1'),
  invalid('content-length behind another', 'X: y\r\ncontent-length:0', '9110 6.5.1'),
  invalid('Transfer-Encoding', 'Transfer-Encoding: chunked', '9110 6.5.1'),
  invalid('Host', 'Host: b', '9110 6.5.1'),
  invalid('Connection', 'Connection: close', '9110 6.5.1'),
  invalid('Upgrade', 'Upgrade: h2c', '9110 6.5.1'),
  invalid('TE', 'TE: trailers', '9110 6.5.1'),
  invalid('Expect', 'Expect: 100-continue', '9110 6.5.1'),
  invalid('X-Forwarded-For', 'X-Forwarded-For: 127.0.0.1', '9110 6.5.1'),
  invalid('X-Forwarded-Proto', 'X-Forwarded-Proto: https', '9110 6.5.1'),
  invalid('Forwarded', 'Forwarded: for=127.0.0.1', '9110 6.5.1'),
  invalid('X-Real-IP', 'X-Real-IP: 127.0.0.1', '9110 6.5.1'),
  invalid('Proxy-Authorization', 'Proxy-Authorization: Basic eDp5', '9110 6.5.1'),
  request('a field that breaks off', '9112 8', `${HEAD}0\r\nX: y`, unfinished),
  request('no blank line behind them', '9112 8', `${HEAD}0\r\nX: y\r\n`, unfinished),
];
