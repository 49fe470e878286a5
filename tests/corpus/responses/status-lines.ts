import { answered, badGateway, length, type ResponseCase, response } from '../verdicts.ts';

/** RFC 9112 section 4. */

const EMPTY = 'Content-Length: 0\r\n\r\n';
const empty = length('');

export const statusLines: readonly ResponseCase[] = [
  response(
    'the usual one',
    '9112 4',
    `HTTP/1.1 200 OK\r\n${EMPTY}`,
    answered(200, empty, { line: 'HTTP/1.1 200 OK' }),
  ),
  response(
    'no reason',
    '9112 4',
    `HTTP/1.1 200 \r\n${EMPTY}`,
    answered(200, empty, { line: 'HTTP/1.1 200 ' }),
  ),
  response(
    'no reason and no space',
    '9112 4',
    `HTTP/1.1 200\r\n${EMPTY}`,
    answered(200, empty, { line: 'HTTP/1.1 200 ' }),
  ),
  response(
    'a long reason',
    '9112 4',
    `HTTP/1.1 404 No such thing here\r\n${EMPTY}`,
    answered(404, empty, { line: 'HTTP/1.1 404 No such thing here' }),
  ),
  response(
    'a reason of high bytes',
    '9112 4',
    `HTTP/1.1 200 Sch\xf6n\r\n${EMPTY}`,
    answered(200, empty, { line: 'HTTP/1.1 200 Sch\xf6n' }),
  ),
  response(
    'a reason with a tab',
    '9112 4',
    `HTTP/1.1 200 O\tK\r\n${EMPTY}`,
    answered(200, empty, { line: 'HTTP/1.1 200 O\tK' }),
  ),
  response('an unknown status', '9110 15', `HTTP/1.1 599 X\r\n${EMPTY}`, answered(599, empty)),
  response(
    'a redirection',
    '9110 15.4',
    `HTTP/1.1 302 Found\r\nLocation: /b\r\n${EMPTY}`,
    answered(302, empty, { sees: ['Location: /b'] }),
  ),
  response('a server error is an answer', '9110 15.6', `HTTP/1.1 500 X\r\n${EMPTY}`, answered(500, empty)),
  response(
    '503 is an answer',
    '9110 15.6.4',
    `HTTP/1.1 503 X\r\nRetry-After: 5\r\n${EMPTY}`,
    answered(503, empty, { sees: ['Retry-After: 5'] }),
  ),
  response(
    '1.0 closes',
    '9112 9.3',
    `HTTP/1.0 200 OK\r\n${EMPTY}`,
    answered(200, empty, { backend: 'closed', line: 'HTTP/1.1 200 OK' }),
  ),
  response(
    '1.0 with keep-alive stays',
    '9112 9.3',
    `HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n${EMPTY}`,
    answered(200, empty, { hides: ['connection'] }),
  ),
  response(
    '1.2 is read as 1.1',
    '9110 2.5',
    `HTTP/1.2 200 OK\r\n${EMPTY}`,
    answered(200, empty, { line: 'HTTP/1.1 200 OK' }),
  ),
  response('status 600', '9110 15', `HTTP/1.1 600 X\r\n${EMPTY}`, badGateway),
  response('status 099', '9110 15', `HTTP/1.1 099 X\r\n${EMPTY}`, badGateway),
  response('status 000', '9110 15', `HTTP/1.1 000 X\r\n${EMPTY}`, badGateway),
  response('two digits', '9112 4', `HTTP/1.1 20 X\r\n${EMPTY}`, badGateway),
  response('four digits', '9112 4', `HTTP/1.1 2000 X\r\n${EMPTY}`, badGateway),
  response('letters', '9112 4', `HTTP/1.1 2xx X\r\n${EMPTY}`, badGateway),
  response('a minus', '9112 4', `HTTP/1.1 -20 X\r\n${EMPTY}`, badGateway),
  response('no status', '9112 4', `HTTP/1.1 OK\r\n${EMPTY}`, badGateway),
  response('a version alone', '9112 4', `HTTP/1.1\r\n${EMPTY}`, badGateway),
  response('two spaces', '9112 4', `HTTP/1.1  200 OK\r\n${EMPTY}`, badGateway),
  response('a tab before the status', '9112 4', `HTTP/1.1\t200 OK\r\n${EMPTY}`, badGateway),
  response('a tab behind the status', '9112 4', `HTTP/1.1 200\tOK\r\n${EMPTY}`, badGateway),
  response('a NUL in the reason', '9112 4', `HTTP/1.1 200 O\0K\r\n${EMPTY}`, badGateway),
  response('a CR in the reason', '9112 4', `HTTP/1.1 200 O\rK\r\n${EMPTY}`, badGateway),
  response('DEL in the reason', '9112 4', `HTTP/1.1 200 \x7f\r\n${EMPTY}`, badGateway),
  response('0.9', '9112 2.3', `HTTP/0.9 200 OK\r\n${EMPTY}`, badGateway),
  response('2.0', '9112 2.3', `HTTP/2.0 200 OK\r\n${EMPTY}`, badGateway),
  response('no dot', '9112 2.3', `HTTP/11 200 OK\r\n${EMPTY}`, badGateway),
  response('two digits behind the dot', '9112 2.3', `HTTP/1.10 200 OK\r\n${EMPTY}`, badGateway),
  response('lower case', '9112 2.3', `http/1.1 200 OK\r\n${EMPTY}`, badGateway),
  response('another protocol', '9112 2.3', `ICY 200 OK\r\n${EMPTY}`, badGateway),
  response('an empty line before it', '9112 2.2', `\r\nHTTP/1.1 200 OK\r\n${EMPTY}`, badGateway),
  response('a space before it', '9112 2.2', ` HTTP/1.1 200 OK\r\n${EMPTY}`, badGateway),
  response('a request in its place', '9112 4', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', badGateway),
  response('a page without a head', '9112 4', '<html>hello</html>', badGateway),
  response('an SSH greeting', '9112 4', 'SSH-2.0-OpenSSH_9.2\r\n', badGateway),
  response('NULs', '9112 4', '\0\0\0\0', badGateway),
];

export const lineEnds: readonly ResponseCase[] = [
  response('LF alone everywhere', '9112 2.2', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n', badGateway),
  response('LF alone behind the status line', '9112 2.2', `HTTP/1.1 200 OK\n${EMPTY}`, badGateway),
  response('CR alone behind the status line', '9112 2.2', `HTTP/1.1 200 OK\r${EMPTY}`, badGateway),
  response('CR CR LF behind the status line', '9112 2.2', `HTTP/1.1 200 OK\r\r\n${EMPTY}`, badGateway),
  response('LF alone behind a field', '9112 2.2', 'HTTP/1.1 200 OK\r\nContent-Length: 0\n\r\n', badGateway),
  response('LF alone as blank line', '9112 2.2', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\n', badGateway),
  response(
    'CR alone as blank line',
    '9112 2.2',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\rX\r\n\r\n',
    badGateway,
  ),
  response('LF alone behind a status without reason', '9112 2.2', `HTTP/1.1 200\n${EMPTY}`, badGateway),
];
