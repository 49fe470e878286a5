import { chunked, forwarded, type RequestCase, refused, request, unfinished } from '../verdicts.ts';

/** RFC 9112 sections 6.1 and 6.3: `chunked`, once, alone, and never beside a length. */

const POST = 'POST / HTTP/1.1\r\nHost: a\r\n';
const END = '\r\n\r\n0\r\n\r\n';
const empty = forwarded('POST /', chunked('', '0\r\n\r\n'));

/** The ways to write `Transfer-Encoding: chunked` that one parser reads and another one does not. */
const OBFUSCATED: readonly (readonly [name: string, line: string, status: 400 | 501])[] = [
  ['a space before the colon', 'Transfer-Encoding : chunked', 400],
  ['a tab before the colon', 'Transfer-Encoding\t: chunked', 400],
  ['a space before the name', ' Transfer-Encoding: chunked', 400],
  ['a tab before the name', '\tTransfer-Encoding: chunked', 400],
  ['folded by a space', 'Transfer-Encoding:\r\n chunked', 400],
  ['folded by a tab', 'Transfer-Encoding:\r\n\tchunked', 400],
  ['folded behind another field', 'X: y\r\n Transfer-Encoding: chunked', 400],
  ['behind LF alone', 'X: y\nTransfer-Encoding: chunked', 400],
  ['behind CR alone', 'X: y\rTransfer-Encoding: chunked', 400],
  ['behind CR CR LF', 'X: y\r\r\nTransfer-Encoding: chunked', 400],
  ['behind NUL', 'X: y\0Transfer-Encoding: chunked', 400],
  ['LF behind the colon', 'Transfer-Encoding:\nchunked', 400],
  ['LF behind the name', 'Transfer-Encoding\n: chunked', 400],
  ['CR behind the name', 'Transfer-Encoding\r: chunked', 400],
  ['CRLF behind the name', 'Transfer-Encoding\r\n: chunked', 400],
  ['a NUL in the name', 'Transfer\0-Encoding: chunked', 400],
  ['a NUL behind the name', 'Transfer-Encoding\0: chunked', 400],
  ['DEL behind the name', 'Transfer-Encoding\x7f: chunked', 400],
  ['a high byte behind the name', 'Transfer-Encoding\xff: chunked', 400],
  ['a tab before the value', 'Transfer-Encoding:\tchunked', 400],
  ['a tab behind the value', 'Transfer-Encoding: chunked\t', 400],
  ['a vertical tab before the value', 'Transfer-Encoding: \x0bchunked', 400],
  ['a form feed before the value', 'Transfer-Encoding: \x0cchunked', 400],
  ['a NUL before the value', 'Transfer-Encoding: \0chunked', 400],
  ['a CR before the value', 'Transfer-Encoding: \rchunked', 400],
  ['a backspace before the value', 'Transfer-Encoding: \x08chunked', 400],
  ['a no-break space before the value', 'Transfer-Encoding: \xa0chunked', 400],
  ['a high byte before the value', 'Transfer-Encoding: \xffchunked', 400],
  ['a vertical tab behind the value', 'Transfer-Encoding: chunked\x0b', 400],
  ['a NUL behind the value', 'Transfer-Encoding: chunked\0', 400],
  ['a CR behind the value', 'Transfer-Encoding: chunked\r', 400],
  ['DEL behind the value', 'Transfer-Encoding: chunked\x7f', 400],
  ['no colon', 'Transfer-Encoding chunked', 400],
  ['two colons', 'Transfer-Encoding:: chunked', 400],
  ['a letter before', 'Transfer-Encoding: xchunked', 400],
  ['a letter behind', 'Transfer-Encoding: chunkedx', 400],
  ['one letter missing', 'Transfer-Encoding: chunke', 400],
  ['the long s', 'Transfer-Encoding: chun\xe2\x84\xaaed', 400],
  ['double quotes', 'Transfer-Encoding: "chunked"', 400],
  ['single quotes', "Transfer-Encoding: 'chunked'", 400],
  ['a parameter', 'Transfer-Encoding: chunked;a=b', 400],
  ['an empty parameter', 'Transfer-Encoding: chunked;', 400],
  ['an assignment', 'Transfer-Encoding: x=chunked', 400],
  ['a space inside', 'Transfer-Encoding: chun ked', 400],
  ['two words', 'Transfer-Encoding: chunked identity', 400],
  ['a comma behind', 'Transfer-Encoding: chunked,', 400],
  ['a comma before', 'Transfer-Encoding: ,chunked', 400],
  ['empty', 'Transfer-Encoding:', 400],
  ['blank', 'Transfer-Encoding: \t', 400],
  ['identity', 'Transfer-Encoding: identity', 400],
  ['gzip', 'Transfer-Encoding: gzip', 400],
  ['an unknown coding', 'Transfer-Encoding: cow', 400],
  ['chunked and then gzip', 'Transfer-Encoding: chunked, gzip', 400],
  ['chunked and then identity', 'Transfer-Encoding: chunked, identity', 400],
  ['chunked twice', 'Transfer-Encoding: chunked, chunked', 400],
  ['chunked, gzip, chunked', 'Transfer-Encoding: chunked, gzip, chunked', 400],
  ['gzip and then chunked', 'Transfer-Encoding: gzip, chunked', 501],
  ['identity and then chunked', 'Transfer-Encoding: identity, chunked', 501],
  ['an unknown coding and then chunked', 'Transfer-Encoding: cow, chunked', 501],
  ['two lines, both chunked', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', 400],
  ['two lines, the second unknown', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: cow', 400],
  ['two lines, the first unknown', 'Transfer-Encoding: cow\r\nTransfer-Encoding: chunked', 400],
  ['two lines, the second identity', 'Transfer-Encoding: chunked\r\nTransfer-encoding: identity', 400],
  ['two lines, the first identity', 'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked', 400],
  ['two lines, the second empty', 'Transfer-Encoding: chunked\r\nTransfer-Encoding:', 400],
  ['two lines, the second folded', 'Transfer-Encoding: chunked\r\n Transfer-Encoding: cow', 400],
];

/** Each of them alone, where it would be ignored, and beside a length, where ignoring it would frame the request anew. */
export const obfuscatedCodings: readonly RequestCase[] = OBFUSCATED.flatMap(([name, line, status]) => [
  request(`${name}, alone`, '9112 6.1', `${POST}${line}${END}`, refused(status)),
  request(`${name}, with a length`, '9112 6.3', `${POST}Content-Length: 5\r\n${line}${END}`, refused(400)),
]);

/** Names that only look like it are fields like any other; the body is then framed by what else there is. */
export const otherCodings: readonly RequestCase[] = [
  request('chunked', '9112 6.1', `${POST}Transfer-Encoding: chunked${END}`, empty),
  request('CHUNKED', '9112 7', `${POST}TRANSFER-ENCODING:CHUNKED${END}`, empty),
  request('ChUnKeD between spaces', '9112 5.1', `${POST}Transfer-Encoding:   ChUnKeD  ${END}`, empty),
  request(
    'chunked of a GET',
    '9112 6.1',
    `GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked${END}`,
    forwarded('GET /', chunked('')),
  ),
  request(
    'nominated by Connection',
    '9110 7.6.1',
    `${POST}Connection: transfer-encoding\r\nTransfer-Encoding: chunked${END}`,
    empty,
  ),
  request(
    'an underscore in the name',
    '9110 5.1',
    `${POST}Transfer_Encoding: chunked\r\n\r\n`,
    forwarded('POST /'),
  ),
  request(
    'Transfer-Encodings',
    '9110 5.1',
    `${POST}Transfer-Encodings: chunked\r\n\r\n`,
    forwarded('POST /'),
  ),
  request(
    'X-Transfer-Encoding',
    '9110 5.1',
    `${POST}X-Transfer-Encoding: chunked\r\n\r\n`,
    forwarded('POST /'),
  ),
  request(
    'Content-Encoding: chunked',
    '9110 8.4',
    `${POST}Content-Encoding: chunked\r\n\r\n`,
    forwarded('POST /'),
  ),
  request('a body that never begins', '9112 8', `${POST}Transfer-Encoding: chunked\r\n\r\n`, unfinished),
];
