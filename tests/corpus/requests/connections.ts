import {
  chunked,
  forwarded,
  length,
  none,
  type RequestCase,
  refused,
  request,
  unfinished,
} from '../verdicts.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\n';
const closes = forwarded('GET /', none, { closes: true });

/** RFC 9112 section 9 and RFC 9110 section 7.6.1. */
export const persistence: readonly RequestCase[] = [
  request('close', '9112 9.6', `${GET}Connection: close\r\n\r\n`, closes),
  request('CLOSE', '9112 9.6', `${GET}CONNECTION: CLOSE\r\n\r\n`, closes),
  request('close in a list', '9112 9.6', `${GET}Connection: x, close ,y\r\n\r\n`, closes),
  request('close on a second line', '9112 9.6', `${GET}Connection: x\r\nConnection: close\r\n\r\n`, closes),
  request('close against keep-alive', '9112 9.3', `${GET}Connection: keep-alive, close\r\n\r\n`, closes),
  request('empty members', '9110 5.6.1', `${GET}Connection: ,, close ,\r\n\r\n`, closes),
  request(
    'keep-alive',
    '9112 9.3',
    `${GET}Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n`,
    forwarded('GET /', none, { hides: ['connection', 'keep-alive'] }),
  ),
  request('closed is not close', '9112 9.6', `${GET}Connection: closed\r\n\r\n`, forwarded('GET /')),
  request(
    'Proxy-Connection means nothing',
    '9110 7.6.1',
    `${GET}Proxy-Connection: close\r\n\r\n`,
    forwarded('GET /', none, { hides: ['proxy-connection'] }),
  ),
  request(
    '1.0, keep-alive and close',
    '9112 9.3',
    'GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n',
    closes,
  ),
  request('a member that is no token', '9110 7.6.1', `${GET}Connection: cl@se\r\n\r\n`, refused(400)),
  request('a space for a comma', '9110 5.6.1', `${GET}Connection: x keep-alive\r\n\r\n`, refused(400)),
  request('a tab for a comma', '9110 5.6.1', `${GET}Connection: x\tclose\r\n\r\n`, refused(400)),
  request('blanks around commas', '9110 5.6.1', `${GET}Connection: \tx \t,\tclose \t\r\n\r\n`, closes),
  request('a quoted member', '9110 7.6.1', `${GET}Connection: "close"\r\n\r\n`, refused(400)),
  request('a member with a parameter', '9110 7.6.1', `${GET}Connection: close;a=b\r\n\r\n`, refused(400)),
  request(
    'more members than make sense',
    '9110 7.6.1',
    `${GET}Connection: ${'a,'.repeat(33)}\r\n\r\n`,
    refused(400),
  ),
];

/** Fields that end at this hop, and fields by which a client could claim to be somebody else. */
export const hopByHop: readonly RequestCase[] = [
  request(
    'what Connection nominates',
    '9110 7.6.1',
    `${GET}Connection: X-A, x-b\r\nX-A: 1\r\nX-B: 2\r\nX-C: 3\r\n\r\n`,
    forwarded('GET /', none, { sees: ['X-C: 3'], hides: ['connection', 'x-a', 'x-b'] }),
  ),
  request(
    'all that are known',
    '9110 7.6.1',
    `${GET}Keep-Alive: 5\r\nProxy-Authorization: x\r\nProxy-Authenticate: x\r\nUpgrade: x\r\nX: y\r\n\r\n`,
    forwarded('GET /', none, {
      sees: ['X: y'],
      hides: ['keep-alive', 'proxy-authorization', 'proxy-authenticate', 'upgrade'],
    }),
  ),
  request(
    'TE without trailers',
    '9110 10.1.4',
    `${GET}TE: gzip;q=0.5\r\n\r\n`,
    forwarded('GET /', none, { hides: ['te'] }),
  ),
  request(
    'TE with trailers',
    '9110 10.1.4',
    `${GET}TE: gzip, trailers\r\nConnection: TE\r\n\r\n`,
    forwarded('GET /', none, { sees: ['te: trailers', 'connection: te'] }),
  ),
  request(
    'X-Forwarded-For of a stranger',
    '7239 8.1',
    `${GET}X-Forwarded-For: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\n\r\n`,
    forwarded('GET /', none, { sees: ['x-forwarded-for: 127.0.0.1'], hides: ['forwarded', 'x-real-ip'] }),
  ),
  request(
    'X-Forwarded-Proto and -Host of a stranger',
    '7239 8.1',
    `${GET}X-Forwarded-Proto: https\r\nX-Forwarded-Host: b\r\n\r\n`,
    forwarded('GET /', none, { sees: ['x-forwarded-proto: http', 'x-forwarded-host: a'] }),
  ),
  request(
    'X-Forwarded-For nominated away',
    '9110 7.6.1',
    `${GET}Connection: X-Forwarded-For, X-Forwarded-Proto, X-Request-Id\r\n\r\n`,
    forwarded('GET /', none, {
      sees: ['x-forwarded-for: 127.0.0.1', 'x-forwarded-proto: http'],
      hides: ['connection'],
    }),
  ),
  request(
    'a request id that is no token',
    '9110 5.6.2',
    `${GET}X-Request-Id: a b\r\n\r\n`,
    forwarded('GET /'),
  ),
  request(
    'two request ids',
    '9110 5.3',
    `${GET}X-Request-Id: a\r\nX-Request-Id: b\r\n\r\n`,
    forwarded('GET /'),
  ),
];

/** RFC 9110 section 10.1.1. */
export const expectations: readonly RequestCase[] = [
  request(
    '100-continue',
    '9110 10.1.1',
    `${POST}Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi`,
    forwarded('POST /', length('hi'), { sees: ['Expect: 100-continue'] }),
  ),
  request(
    '100-Continue',
    '9110 10.1.1',
    `${POST}Expect: 100-Continue\r\nContent-Length: 2\r\n\r\nhi`,
    forwarded('POST /', length('hi')),
  ),
  request(
    '100-continue and chunks',
    '9110 10.1.1',
    `${POST}Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
    forwarded('POST /', chunked('hi')),
  ),
  request(
    'one in 1.0 is ignored',
    '9110 10.1.1',
    'POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi',
    forwarded('POST /', length('hi'), { closes: true, hides: ['expect'] }),
  ),
  request(
    'an unknown one',
    '9110 10.1.1',
    `${POST}Expect: 200-ok\r\nContent-Length: 2\r\n\r\nhi`,
    refused(417),
  ),
  request('an empty one', '9110 10.1.1', `${POST}Expect:\r\nContent-Length: 2\r\n\r\nhi`, refused(417)),
  request(
    'a list',
    '9110 10.1.1',
    `${POST}Expect: 100-continue, x\r\nContent-Length: 2\r\n\r\nhi`,
    refused(417),
  ),
  request(
    'two',
    '9110 10.1.1',
    `${POST}Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi`,
    refused(417),
  ),
  request(
    'a comma behind',
    '9110 10.1.1',
    `${POST}Expect: 100-continue,\r\nContent-Length: 2\r\n\r\nhi`,
    refused(417),
  ),
  request(
    'a body that never comes',
    '9110 10.1.1',
    `${POST}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`,
    unfinished,
  ),
];

const next = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** RFC 9112 section 9.3.2. */
export const pipelining: readonly RequestCase[] = [
  request(
    'three',
    '9112 9.3.2',
    next('/1') + next('/2') + next('/3'),
    forwarded('GET /1'),
    forwarded('GET /2'),
    forwarded('GET /3'),
  ),
  request(
    'empty lines between',
    '9112 2.2',
    `${next('/1')}\r\n${next('/2')}`,
    forwarded('GET /1'),
    forwarded('GET /2'),
  ),
  request(
    'bodies of both kinds',
    '9112 9.3.2',
    `${POST}Content-Length: 2\r\n\r\nhi${POST}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n${next('/3')}`,
    forwarded('POST /', length('hi')),
    forwarded('POST /', chunked('hi')),
    forwarded('GET /3'),
  ),
  request(
    'an empty line behind a body',
    '9112 2.2',
    `${POST}Content-Length: 2\r\n\r\nhi\r\n${next('/2')}`,
    forwarded('POST /', length('hi')),
    forwarded('GET /2'),
  ),
  request(
    'a body that is too long',
    '9112 6.3',
    `${POST}Content-Length: 2\r\n\r\nhi!${next('/2')}`,
    forwarded('POST /', length('hi')),
    forwarded('!GET /2'),
  ),
  request(
    'the second one closes',
    '9112 9.6',
    `${next('/1')}${GET}Connection: close\r\n\r\n${next('/3')}`,
    forwarded('GET /1'),
    closes,
  ),
  request(
    'the second one is of 1.0',
    '9112 9.3',
    `${next('/1')}GET / HTTP/1.0\r\n\r\n${next('/3')}`,
    forwarded('GET /1'),
    closes,
  ),
  request(
    'the second one is refused',
    '9112 9.3.2',
    `${next('/1')}GET /2 HTTP/1.1\r\n\r\n${next('/3')}`,
    forwarded('GET /1'),
    refused(400),
  ),
  request(
    'the third one breaks off',
    '9112 8',
    `${next('/1')}${next('/2')}GET /3 HTTP/1.1\r\nHo`,
    forwarded('GET /1'),
    forwarded('GET /2'),
    unfinished,
  ),
  request(
    'garbage behind the first one',
    '9112 9.3.2',
    `${next('/1')}\0\0\0\0`,
    forwarded('GET /1'),
    refused(400),
  ),
  request(
    'twenty',
    '9112 9.3.2',
    next('/n').repeat(20),
    ...Array.from({ length: 20 }, () => forwarded('GET /n')),
  ),
];
