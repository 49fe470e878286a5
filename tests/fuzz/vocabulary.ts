/** The words of generated messages: the usual ones, and those about which parsers disagree. All text is latin1. */

interface Words {
  readonly usual: readonly string[];
  readonly odd: readonly string[];
}

export const METHODS: Words = {
  usual: ['GET', 'GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND', 'M-SEARCH', 'QUERY'],
  odd: ['BREW', 'CONNECT', 'PRI', 'SOURCE', 'get', 'GETX', 'TRACE', 'LINK', '!', "~'*"],
};

export const TARGETS: Words = {
  usual: ['/', '/a/b?c=d', '//a', '/%2F%00', '/a|b"<>{}', '/?', '/[x]^`\\', '/?a?b=/', '/;a=b,c+d', '/@:&$!'],
  odd: [
    '*',
    'http://a',
    'http://a/',
    'http://a:80/x?y',
    'HTTPS://A',
    'http://a?b',
    'http://u@a/',
    'a:80',
    '/#',
    '/\xe4',
    '/a\tb',
    '?a',
    'ftp://a/',
    'http://[::1]:8/',
    'http:///',
    'http:/a',
    'x',
    '/\x7f',
  ],
};

export const VERSIONS: Words = {
  usual: ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'],
  odd: [
    'HTTP/1.2',
    'HTTP/1.9',
    'HTTP/0.9',
    'HTTP/2.0',
    'http/1.1',
    'HTTP/1.10',
    'HTTP/1',
    'ICE/1.0',
    'RTSP/1.0',
  ],
};

export const STATUSES: Words = {
  usual: ['200', '200', '204', '205', '206', '301', '304', '404', '500', '599'],
  odd: ['100', '101', '102', '103', '199', '600', '099', '20', '2000', '2x0'],
};

export const REASONS: Words = {
  usual: [' OK', ' ', '', ' Not Found', ' Sch\xf6n', ' a\tb'],
  odd: ['  x', '\tx', ' \x7f', ' x ', ' \0', '  '],
};

export const FIELD_NAMES: readonly string[] = [
  'X',
  'x-y',
  'Cookie',
  'Set-Cookie',
  'Accept',
  'Keep-Alive',
  'Upgrade',
  'TE',
  'Trailer',
  'Range',
  'Proxy-Connection',
  'content_length',
  "!#$%&'*+-.^_`|~",
  'X-Request-Id',
  'Content-Encoding',
];

export const FIELD_VALUES: Words = {
  usual: [
    '',
    'y',
    'a b',
    'a\tb',
    '"a, b"',
    '\xe4\xff',
    '0',
    'a,b',
    'h2c',
    'trailers',
    'gzip',
    ',',
    '\x80',
    '(',
    '@',
  ],
  odd: ['a\0', '\x01', 'a\x7f', '\x0bchunked', 'a\x0c', '\x1b[0m', ' \xa0 '],
};

export const CONNECTIONS: Words = {
  usual: [
    'keep-alive',
    'x',
    'upgrade',
    'Upgrade, HTTP2-Settings',
    'host',
    'content-length',
    'keep-alive, x',
    '',
  ],
  odd: ['close', 'Close', 'x, close', ',,close,', 'close, keep-alive', '@', 'close;a', 'closed', 'close x'],
};

export const HOSTS: Words = {
  usual: ['a', 'a', 'example.com', 'A.b:80', 'a:', '[::1]:8', '127.0.0.1', 'a_b'],
  odd: ['', 'a b', 'a,b', ':80', 'a:99999', 'a/b', 'u@a', '[::1', '\xe4'],
};

export const LENGTHS: readonly string[] = [
  '0',
  '1',
  '5',
  '05',
  '10',
  '',
  '-1',
  '+5',
  '5 ',
  '0x5',
  '5,5',
  '5, 6',
  '1e1',
  '\t5\t',
  '5\x0b',
  '18446744073709551621',
  '999999999999999',
  '9999999999999999',
  '4294967301',
];

export const CODINGS: readonly string[] = [
  'chunked',
  'CHUNKED',
  ' chunked ',
  'gzip',
  'gzip, chunked',
  'chunked, gzip',
  'identity',
  'chunked;a',
  'chunked, chunked',
  'xchunked',
  '',
  ',chunked',
  'chunked,',
  '"chunked"',
  'chunked\x0b',
  '\tchunked\t',
];

export const EXTENSIONS: Words = {
  usual: [';a', ';a=b', ';a="b"', ';a="b;\\""', ';a;b=c', ";a='", ';a="\t \xe4"', ';a=""'],
  odd: [
    ' ;a',
    ';a = b',
    ';',
    ';=',
    ';a="',
    ';a=b"c"',
    ' ',
    '\t;a',
    ';a=\xe4',
    ';"a"',
    ';a=b ',
    ';a[',
    ';a=;b',
    ';a="b"c',
    ';a="b" ',
    '; a',
    ';a= b',
    ';a =b',
    ';a=b ;c',
    ';a="\\',
    ';a="\\\x7f"',
    ';a=b=c',
    ';;',
  ],
};

export const TRAILERS: Words = {
  usual: ['X: y', 'X:', 'Expires: \xe4', 'X: y\tz', 'Grpc-Status:0'],
  odd: ['Content-Length: 5', 'Transfer-Encoding: chunked', 'Host: b', 'X : y', ' X: y', 'X', ': y', 'X: \0'],
};

export const LINE_ENDS: Words = {
  usual: ['\r\n'],
  odd: ['\n', '\r', '\r\r\n', '\n\r', '\r\n\r\n', ' \r\n', '\r\n ', '\0\r\n'],
};

export const SPACES: Words = { usual: [' '], odd: ['  ', '\t', '', '\x0b', '\x0c', '\xa0'] };

export const COLONS: Words = {
  usual: [': ', ': ', ':', ': \t'],
  odd: [' : ', ' :', '', '::', '\t:', ':\x0b', ':\0', ':\r'],
};
