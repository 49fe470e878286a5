import { chunked, forwarded, type RequestCase, refused, request, unfinished } from '../verdicts.ts';

/** RFC 9112 section 7.1: sizes, extensions, data and their line ends. Whatever is valid passes byte for byte. */

const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

const valid = (name: string, wire: string, payload: string): RequestCase =>
  request(name, '9112 7.1', HEAD + wire, forwarded('POST /', chunked(payload, wire)));
const invalid = (name: string, wire: string): RequestCase =>
  request(name, '9112 7.1', HEAD + wire, refused(400));

export const chunkSizes: readonly RequestCase[] = [
  valid('one chunk', '5\r\nhello\r\n0\r\n\r\n', 'hello'),
  valid('two chunks', '5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n', 'hello!'),
  valid('upper case', 'A\r\n0123456789\r\n0\r\n\r\n', '0123456789'),
  valid('lower case', 'a\r\n0123456789\r\n0\r\n\r\n', '0123456789'),
  valid('leading zeros', '0005\r\nhello\r\n0\r\n\r\n', 'hello'),
  valid('many zeros at the end', '000000\r\n\r\n', ''),
  valid('chunks in the data', '5\r\n0\r\n\r\n\r\n0\r\n\r\n', '0\r\n\r\n'),
  valid(
    'a request in the data',
    '18\r\nGET /smuggled HTTP/1.1\r\n\r\n0\r\n\r\n',
    'GET /smuggled HTTP/1.1\r\n',
  ),
  invalid('none', '\r\nhello\r\n0\r\n\r\n'),
  invalid('empty line before the end', '5\r\nhello\r\n\r\n0\r\n\r\n'),
  invalid('a space before', ' 5\r\nhello\r\n0\r\n\r\n'),
  invalid('a tab before', '\t5\r\nhello\r\n0\r\n\r\n'),
  invalid('a space behind', '5 \r\nhello\r\n0\r\n\r\n'),
  invalid('a space inside', '1 0\r\n0123456789abcdef\r\n0\r\n\r\n'),
  invalid('a vertical tab behind', '5\x0b\r\nhello\r\n0\r\n\r\n'),
  invalid('a NUL behind', '5\0\r\nhello\r\n0\r\n\r\n'),
  invalid('negative', '-5\r\nhello\r\n0\r\n\r\n'),
  invalid('minus zero', '-0\r\n\r\n'),
  invalid('a plus sign', '+5\r\nhello\r\n0\r\n\r\n'),
  invalid('a prefix', '0x5\r\nhello\r\n0\r\n\r\n'),
  invalid('an underscore', '1_0\r\n0123456789abcdef\r\n0\r\n\r\n'),
  invalid('a dot', '5.0\r\nhello\r\n0\r\n\r\n'),
  invalid('a letter that is no digit', 'g\r\nhello\r\n0\r\n\r\n'),
  invalid('quotes', '"5"\r\nhello\r\n0\r\n\r\n'),
  invalid('a comma', '5,5\r\nhello\r\n0\r\n\r\n'),
  invalid('an h for hexadecimal', '5h\r\nhello\r\n0\r\n\r\n'),
  invalid('2^64 + 5', '10000000000000005\r\nhello\r\n0\r\n\r\n'),
  invalid('2^63', '8000000000000000\r\nhello\r\n0\r\n\r\n'),
  invalid('2^64 - 1', 'ffffffffffffffff\r\nhello\r\n0\r\n\r\n'),
  invalid('too many zeros', `${'0'.repeat(40)}5\r\nhello\r\n0\r\n\r\n`),
  request(
    'larger than any body may be',
    '9110 15.5.14',
    `${HEAD}100000005\r\nhello\r\n0\r\n\r\n`,
    refused(413),
  ),
];

export const chunkLineEnds: readonly RequestCase[] = [
  invalid('LF alone behind the size', '5\nhello\r\n0\r\n\r\n'),
  invalid('CR alone behind the size', '5\rhello\r\n0\r\n\r\n'),
  invalid('CR CR LF behind the size', '5\r\r\nhello\r\n0\r\n\r\n'),
  invalid('LF CR behind the size', '5\n\rhello\r\n0\r\n\r\n'),
  invalid('LF alone behind the data', '5\r\nhello\n0\r\n\r\n'),
  invalid('CR alone behind the data', '5\r\nhello\r0\r\n\r\n'),
  invalid('nothing behind the data', '5\r\nhello0\r\n\r\n'),
  invalid('two bytes of anything behind the data', '5\r\nhelloXX0\r\n\r\n'),
  invalid('LF CR behind the data', '5\r\nhello\n\r0\r\n\r\n'),
  invalid('data longer than its size', '4\r\nhello\r\n0\r\n\r\n'),
  invalid('data shorter than its size', '6\r\nhello\r\n0\r\n\r\n'),
  invalid('LF alone behind the last size', '0\n\r\n'),
  invalid('CR alone behind the last size', '0\r\r\n'),
  invalid('LF alone at the end', '0\r\n\n'),
  invalid('CR alone at the end', '0\r\n\rX'),
  invalid('CR CR LF at the end', '0\r\n\r\r\n'),
  request('no end', '9112 8', `${HEAD}5\r\nhello\r\n`, unfinished),
  request('no line end behind the data', '9112 8', `${HEAD}5\r\nhello`, unfinished),
  request('no blank line at the end', '9112 8', `${HEAD}5\r\nhello\r\n0\r\n`, unfinished),
  request('half a line end at the end', '9112 8', `${HEAD}0\r\n\r`, unfinished),
  request('a size that breaks off', '9112 8', `${HEAD}5`, unfinished),
];

export const chunkExtensions: readonly RequestCase[] = [
  valid('a name', '5;a\r\nhello\r\n0\r\n\r\n', 'hello'),
  valid('a name and a token', '5;a=b\r\nhello\r\n0\r\n\r\n', 'hello'),
  valid('a quoted value', '5;a="b;c=d"\r\nhello\r\n0\r\n\r\n', 'hello'),
  valid('an escaped quote', '5;a="b\\"c"\r\nhello\r\n0\r\n\r\n', 'hello'),
  valid('two of them', '5;a=b;c="d"\r\nhello\r\n0\r\n\r\n', 'hello'),
  valid('of the last chunk', '5\r\nhello\r\n0;a=b\r\n\r\n', 'hello'),
  valid('blanks that must be tolerated', '5 ; a = b\r\nhello\r\n0\r\n\r\n', 'hello'),
  invalid('LF alone in the name', '5;a\nhello\r\n0\r\n\r\n'),
  invalid('LF alone in the value', '5;a=b\nhello\r\n0\r\n\r\n'),
  invalid('LF in quotes', '5;a="\n"\r\nhello\r\n0\r\n\r\n'),
  invalid('CRLF in quotes', '5;a="\r\n"\r\nhello\r\n0\r\n\r\n'),
  invalid('CR in the name', '5;a\rb\r\nhello\r\n0\r\n\r\n'),
  invalid('CR CR LF behind it', '5;a\r\r\nhello\r\n0\r\n\r\n'),
  invalid('a NUL in it', '5;a=\0\r\nhello\r\n0\r\n\r\n'),
  invalid('a NUL in quotes', '5;a="\0"\r\nhello\r\n0\r\n\r\n'),
  invalid('an escaped LF', '5;a="\\\n"\r\nhello\r\n0\r\n\r\n'),
  invalid('quotes that stay open', '5;a="b\r\nhello\r\n0\r\n\r\n'),
  invalid('a bracket in the name', '5;a[]\r\nhello\r\n0\r\n\r\n'),
  invalid('a high byte in the name', '5;\xff\r\nhello\r\n0\r\n\r\n'),
  invalid('no semicolon', '5 a=b\r\nhello\r\n0\r\n\r\n'),
  invalid('too long', `5;${'a'.repeat(300)}\r\nhello\r\n0\r\n\r\n`),
  invalid('an empty name', '5;\r\nhello\r\n0\r\n\r\n'),
  invalid('an empty value', '5;a=\r\nhello\r\n0\r\n\r\n'),
  invalid('a value without a name', '5;=b\r\nhello\r\n0\r\n\r\n'),
  invalid('two values', '5;a=b=c\r\nhello\r\n0\r\n\r\n'),
  invalid('a blank inside a name', '5;a b\r\nhello\r\n0\r\n\r\n'),
  invalid('a token behind quotes', '5;a="b"c\r\nhello\r\n0\r\n\r\n'),
  invalid('quotes inside a token', '5;a=b"c"\r\nhello\r\n0\r\n\r\n'),
  invalid('quotes for a name', '5;"a"\r\nhello\r\n0\r\n\r\n'),
];
