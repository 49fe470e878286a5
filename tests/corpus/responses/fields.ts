import { answered, badGateway, length, type ResponseCase, response } from '../verdicts.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const EMPTY = 'Content-Length: 0\r\n\r\n';
const empty = length('');

/** RFC 9112 section 5. */
export const fields: readonly ResponseCase[] = [
  response(
    'they pass as they are',
    '9110 5',
    `${OK}Set-Cookie: a=b\r\nset-cookie: c=d\r\nX:\r\n${EMPTY}`,
    answered(200, empty, { sees: ['Set-Cookie: a=b', 'set-cookie: c=d', 'X: '] }),
  ),
  response(
    'high bytes pass',
    '9110 5.5',
    `${OK}X: \xc3\xa4\r\n${EMPTY}`,
    answered(200, empty, { sees: ['X: \xc3\xa4'] }),
  ),
  response(
    'blanks around a value',
    '9112 5.1',
    `${OK}X: \t y \t\r\n${EMPTY}`,
    answered(200, empty, { sees: ['X: y'] }),
  ),
  response('folded by a space', '9112 5.2', `${OK}X: a\r\n b\r\n${EMPTY}`, badGateway),
  response('folded by a tab', '9112 5.2', `${OK}X: a\r\n\tb\r\n${EMPTY}`, badGateway),
  response('a space before the first one', '9112 2.2', `${OK} X: a\r\n${EMPTY}`, badGateway),
  response('a space before the colon', '9112 5.1', `${OK}X : a\r\n${EMPTY}`, badGateway),
  response(
    'a length with a space before the colon',
    '9112 5.1',
    `${OK}Content-Length : 0\r\n\r\n`,
    badGateway,
  ),
  response('an empty name', '9110 5.1', `${OK}: a\r\n${EMPTY}`, badGateway),
  response('no colon', '9112 5', `${OK}X\r\n${EMPTY}`, badGateway),
  response('a name that is no token', '9110 5.1', `${OK}X(y): a\r\n${EMPTY}`, badGateway),
  response('a NUL in a name', '9110 5.1', `${OK}X\0: a\r\n${EMPTY}`, badGateway),
  response('a NUL in a value', '9110 5.5', `${OK}X: a\0\r\n${EMPTY}`, badGateway),
  response('a CR in a value', '9110 5.5', `${OK}X: a\rb\r\n${EMPTY}`, badGateway),
  response('an escape in a value', '9110 5.5', `${OK}X: \x1b[0m\r\n${EMPTY}`, badGateway),
  response('257 of them', '9110 5.4', `${OK}${'X: y\r\n'.repeat(256)}${EMPTY}`, badGateway),
  response('256 of them', '9110 5.4', `${OK}${'X: y\r\n'.repeat(255)}${EMPTY}`, answered(200, empty)),
  response('a head of 70,000 bytes', '9110 5.4', `${OK}X: ${'y'.repeat(70_000)}\r\n${EMPTY}`, badGateway),
];

/** RFC 9110 section 7.6.1. */
export const hopByHop: readonly ResponseCase[] = [
  response(
    'close',
    '9112 9.6',
    `${OK}Connection: close\r\n${EMPTY}`,
    answered(200, empty, { backend: 'closed', hides: ['connection'] }),
  ),
  response(
    'close in a list',
    '9112 9.6',
    `${OK}Connection: x, Close\r\n${EMPTY}`,
    answered(200, empty, { backend: 'closed', hides: ['connection'] }),
  ),
  response(
    'close on a second line',
    '9112 9.6',
    `${OK}Connection: x\r\nConnection: close\r\n${EMPTY}`,
    answered(200, empty, { backend: 'closed' }),
  ),
  response(
    'keep-alive',
    '9112 9.3',
    `${OK}Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n${EMPTY}`,
    answered(200, empty, { hides: ['connection', 'keep-alive'] }),
  ),
  response(
    'a nominated field',
    '9110 7.6.1',
    `${OK}Connection: X-A\r\nX-A: 1\r\nX-B: 2\r\n${EMPTY}`,
    answered(200, empty, { sees: ['X-B: 2'], hides: ['x-a', 'connection'] }),
  ),
  response(
    'a nominated length stays',
    '9110 7.6.1',
    `${OK}Connection: Content-Length\r\nContent-Length: 5\r\n\r\nhello`,
    answered(200, length('hello')),
  ),
  response(
    'known ones',
    '9110 7.6.1',
    `${OK}Proxy-Authenticate: x\r\nProxy-Connection: x\r\nUpgrade: h2c\r\nTE: x\r\n${EMPTY}`,
    answered(200, empty, { hides: ['proxy-authenticate', 'proxy-connection', 'upgrade', 'te'] }),
  ),
  response(
    'nominated known ones',
    '9110 7.6.1',
    `${OK}Connection: TE, Upgrade\r\nUpgrade: h2c\r\nTE: x\r\n${EMPTY}`,
    answered(200, empty, { hides: ['connection', 'upgrade', 'te'] }),
  ),
  response('a member that is no token', '9110 7.6.1', `${OK}Connection: @\r\n${EMPTY}`, badGateway),
  response(
    'a request id of its own is replaced',
    '9110 5',
    `${OK}X-Request-Id: mine\r\n${EMPTY}`,
    answered(200, empty),
  ),
  response(
    'framing fields that look like it pass',
    '9110 5.1',
    `${OK}Content_Length: 9\r\nX-Content-Length: 9\r\n${EMPTY}`,
    answered(200, empty, { sees: ['Content_Length: 9', 'X-Content-Length: 9'] }),
  ),
];
