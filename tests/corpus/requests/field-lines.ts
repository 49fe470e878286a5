import { forwarded, type RequestCase, refused, request } from '../verdicts.ts';

/** RFC 9112 section 5 and RFC 9110 section 5: names, values, folding. */

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n';
const sees = (...lines: readonly string[]) => forwarded('GET /', undefined, { sees: lines });

export const fieldNames: readonly RequestCase[] = [
  request('a name in any case', '9110 5.1', `${GET}xX-Yy: z\r\n\r\n`, sees('xX-Yy: z')),
  request(
    'every character of a token',
    '9110 5.6.2',
    `${GET}!#$%&'*+-.^_\`|~09: z\r\n\r\n`,
    sees("!#$%&'*+-.^_`|~09: z"),
  ),
  request('the same name twice', '9110 5.3', `${GET}X: 1\r\nX: 2\r\n\r\n`, sees('X: 1', 'X: 2')),
  request(
    'an underscore for a hyphen',
    '9110 5.1',
    `${GET}Content_Length: 5\r\n\r\n`,
    sees('Content_Length: 5'),
  ),
  request('a space before the colon', '9112 5.1', `${GET}X : y\r\n\r\n`, refused(400)),
  request('a tab before the colon', '9112 5.1', `${GET}X\t: y\r\n\r\n`, refused(400)),
  request('a space inside', '9110 5.1', `${GET}X Y: z\r\n\r\n`, refused(400)),
  request('an empty name', '9110 5.1', `${GET}: z\r\n\r\n`, refused(400)),
  request('no colon', '9112 5', `${GET}X\r\n\r\n`, refused(400)),
  request('a request line for a field', '9112 5', `${GET}GET /b HTTP/1.1\r\n\r\n`, refused(400)),
  request('a NUL', '9110 5.1', `${GET}X\0Y: z\r\n\r\n`, refused(400)),
  request('a CR', '9110 5.1', `${GET}X\rY: z\r\n\r\n`, refused(400)),
  request('an LF', '9110 5.1', `${GET}X\nY: z\r\n\r\n`, refused(400)),
  request('DEL', '9110 5.1', `${GET}X\x7f: z\r\n\r\n`, refused(400)),
  request('an umlaut', '9110 5.1', `${GET}\xc4: z\r\n\r\n`, refused(400)),
  request('brackets', '9110 5.1', `${GET}X[1]: z\r\n\r\n`, refused(400)),
  request('a bracket', '9110 5.1', `${GET}X(: z\r\n\r\n`, refused(400)),
  request('quotes', '9110 5.1', `${GET}"X": z\r\n\r\n`, refused(400)),
  request('an at sign', '9110 5.1', `${GET}X@: z\r\n\r\n`, refused(400)),
  request('a slash', '9110 5.1', `${GET}X/Y: z\r\n\r\n`, refused(400)),
  request('a semicolon', '9110 5.1', `${GET}X;: z\r\n\r\n`, refused(400)),
  request('an equals sign', '9110 5.1', `${GET}X=Y: z\r\n\r\n`, refused(400)),
  request('a comma', '9110 5.1', `${GET}X,Y: z\r\n\r\n`, refused(400)),
  request('a pseudo-header of HTTP/2', '9113 8.3', `${GET}:path: /b\r\n\r\n`, refused(400)),
];

export const fieldValues: readonly RequestCase[] = [
  request('no blank before it', '9112 5.1', `${GET}X:y\r\n\r\n`, sees('X: y')),
  request('blanks around it', '9112 5.1', `${GET}X: \t y \t \r\n\r\n`, sees('X: y')),
  request('empty', '9110 5.5', `${GET}X:\r\n\r\n`, sees('X: ')),
  request('only blanks', '9110 5.5', `${GET}X: \t\r\n\r\n`, sees('X: ')),
  request('blanks inside', '9110 5.5', `${GET}X: a \t b\r\n\r\n`, sees('X: a \t b')),
  request('a colon', '9110 5.5', `${GET}X: a:b: c\r\n\r\n`, sees('X: a:b: c')),
  request('UTF-8', '9110 5.5', `${GET}X: \xc3\xa4\xff\r\n\r\n`, sees('X: \xc3\xa4\xff')),
  request('a no-break space stays', '9112 5.1', `${GET}X: \xa0y\xa0\r\n\r\n`, sees('X: \xa0y\xa0')),
  request('quotes and backslashes', '9110 5.6.4', `${GET}X: "a\\"b"\r\n\r\n`, sees('X: "a\\"b"')),
  request('a NUL', '9110 5.5', `${GET}X: a\0b\r\n\r\n`, refused(400)),
  request('a NUL at the end', '9110 5.5', `${GET}X: a\0\r\n\r\n`, refused(400)),
  request('a CR', '9110 5.5', `${GET}X: a\rb\r\n\r\n`, refused(400)),
  request('an LF', '9110 5.5', `${GET}X: a\nY: b\r\n\r\n`, refused(400)),
  request('CR CR LF', '9110 5.5', `${GET}X: a\r\r\n\r\n`, refused(400)),
  request('a vertical tab', '9110 5.5', `${GET}X: \x0ba\r\n\r\n`, refused(400)),
  request('a form feed', '9110 5.5', `${GET}X: a\x0c\r\n\r\n`, refused(400)),
  request('a backspace', '9110 5.5', `${GET}X: a\x08\r\n\r\n`, refused(400)),
  request('an escape', '9110 5.5', `${GET}X: \x1b[31m\r\n\r\n`, refused(400)),
  request('DEL', '9110 5.5', `${GET}X: a\x7f\r\n\r\n`, refused(400)),
  request('SOH', '9110 5.5', `${GET}X: \x01\r\n\r\n`, refused(400)),
];

export const folding: readonly RequestCase[] = [
  request('by a space', '9112 5.2', `${GET}X: a\r\n b\r\n\r\n`, refused(400)),
  request('by a tab', '9112 5.2', `${GET}X: a\r\n\tb\r\n\r\n`, refused(400)),
  request('behind an empty value', '9112 5.2', `${GET}X:\r\n b\r\n\r\n`, refused(400)),
  request('with a field in it', '9112 5.2', `${GET}X: a\r\n Y: b\r\n\r\n`, refused(400)),
  request('of a blank line', '9112 5.2', `${GET}X: a\r\n \r\n\r\n`, refused(400)),
  request('of the first field', '9112 2.2', 'GET / HTTP/1.1\r\n Host: a\r\n\r\n', refused(400)),
  request('before the first field', '9112 2.2', 'GET / HTTP/1.1\r\n X: y\r\nHost: a\r\n\r\n', refused(400)),
  request('of the request line', '9112 2.2', 'GET / HTTP/1.1\r\n\tfoo\r\nHost: a\r\n\r\n', refused(400)),
  request('behind LF alone', '9112 5.2', `${GET}X: a\n b\r\n\r\n`, refused(400)),
  request(
    'of Transfer-Encoding',
    '9112 5.2',
    `${GET}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n`,
    refused(400),
  ),
  request('of Content-Length', '9112 5.2', `${GET}Content-Length:\r\n 5\r\n\r\nhello`, refused(400)),
];
