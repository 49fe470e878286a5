import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  FAULTY,
  FIELD,
  HeadBuffer,
  type HttpFault,
  INCOMPLETE,
  joinedValues,
  keptFields,
  parseRequestHead,
  RequestHead,
} from './index.ts';
import { CASE_LIMITS, type Expected, REQUEST_CASES, type RequestCase } from './request-head.cases.ts';

type Verdict = { readonly fault: HttpFault } | { readonly end: number; readonly said: Required<Expected> };

function describeHead(head: RequestHead): Required<Expected> {
  return {
    method: head.method,
    path: head.path,
    host: head.host,
    authority: head.authority,
    minor: head.minor,
    body: head.body,
    length: head.length,
    persistent: head.persistent,
    expectsContinue: head.expectsContinue,
  };
}

const head = new RequestHead();

function parseWhole(bytes: Buffer): Verdict | undefined {
  const end = parseRequestHead(bytes, bytes.length, CASE_LIMITS, head);
  if (end === INCOMPLETE) return undefined;
  return end === FAULTY ? { fault: head.fault } : { end, said: describeHead(head) };
}

/** Feeds pieces as a connection does: parse the first, then collect and parse once the end is found. */
function parsePieces(pieces: readonly Buffer[]): Verdict | undefined {
  const first = parseWhole(pieces[0] ?? Buffer.alloc(0));
  if (first !== undefined) return first;
  const collected = new HeadBuffer();
  for (const piece of pieces) {
    collected.append(piece);
    const found = collected.findEnd();
    if (found === INCOMPLETE && collected.length < CASE_LIMITS.headerBytes) continue;
    const verdict = parseWhole(collected.bytes);
    if (verdict !== undefined) return verdict;
  }
  return parseWhole(collected.bytes);
}

/** Every boundary, except in the few cases that are about length. */
const stepFor = (bytes: Buffer): number => (bytes.length > 1000 ? 127 : 1);

const name = ({ raw, section }: RequestCase): string => `RFC ${section} ${JSON.stringify(raw.slice(0, 90))}`;

describe('a request head', () => {
  it.each(REQUEST_CASES.map((row) => [name(row), row] as const))('%s', (_, row) => {
    const bytes = Buffer.from(row.raw, 'latin1');
    const verdict = parseWhole(bytes);
    if ('code' in row.verdict) expect(verdict).toEqual({ fault: row.verdict });
    else expect(verdict).toMatchObject({ said: row.verdict, end: bytes.length });
  });

  it('gets the same verdict wherever it is split in two', () => {
    for (const { raw } of REQUEST_CASES) {
      const bytes = Buffer.from(raw, 'latin1');
      const whole = parseWhole(bytes);
      for (let at = 0; at <= bytes.length; at += stepFor(bytes)) {
        const verdict = parsePieces([bytes.subarray(0, at), bytes.subarray(at)]);
        if (JSON.stringify(verdict) !== JSON.stringify(whole))
          expect.fail(`${JSON.stringify(raw)} at ${at}: ${JSON.stringify(verdict)}`);
      }
    }
  });

  it('gets the same verdict byte by byte', () => {
    for (const { raw } of REQUEST_CASES) {
      const bytes = Buffer.from(raw, 'latin1');
      expect(parsePieces(Array.from(bytes, (byte) => Buffer.of(byte)))).toEqual(parseWhole(bytes));
    }
  });

  it('is never given a verdict by a prefix that the whole does not get', () => {
    for (const { raw } of REQUEST_CASES) {
      const bytes = Buffer.from(raw, 'latin1');
      const whole = parseWhole(bytes);
      for (let at = 0; at < bytes.length; at += stepFor(bytes)) {
        const early = parseWhole(bytes.subarray(0, at));
        if (early !== undefined) expect(early).toEqual(whole);
      }
    }
  });

  it('never takes bytes of what follows it', () => {
    for (const { raw, verdict } of REQUEST_CASES) {
      if ('code' in verdict) continue;
      const followed = parseWhole(Buffer.from(`${raw}GET /next HTTP/1.1\r\n`, 'latin1'));
      expect(followed).toMatchObject({ end: raw.length });
    }
  });

  it('is never accepted, nor does the parser throw, for arbitrary bytes without a Host', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (noise) => {
        const verdict = parseWhole(Buffer.from(noise));
        expect(verdict === undefined || 'fault' in verdict).toBe(true);
      }),
    );
  });
});

const token = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,20}$/);
const value = fc.stringMatching(/^([\x21-\x7e]([ \t\x21-\x7e]{0,30}[\x21-\x7e])?)?$/);
const reserved = /^(host|connection|content-length|transfer-encoding|expect)$/i;
const field = fc.tuple(
  token.filter((text) => !reserved.test(text)),
  value,
);

describe('header lines', () => {
  it('survive editing byte for byte when nothing is dropped', () => {
    fc.assert(
      fc.property(fc.array(field, { maxLength: 20 }), (fields) => {
        const lines = fields.map(([fieldName, text]) => `${fieldName}: ${text}\r\n`).join('');
        const bytes = Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n`, 'latin1');
        const head = new RequestHead();
        expect(parseRequestHead(bytes, bytes.length, CASE_LIMITS, head)).toBe(bytes.length);
        expect(keptFields(head.text, head.fields, 1 << 31)).toBe(`Host: a\r\n${lines}`);
      }),
    );
  });

  it('go where a Connection header nominates them, in any case and on any line', () => {
    const bytes = Buffer.from(
      'GET / HTTP/1.1\r\nX-A: 1\r\nHost: h\r\nx-b: 2\r\nConnection: X-B, host\r\nX-C: 3\r\nconnection: x-c\r\n\r\n',
    );
    const head = new RequestHead();
    expect(parseRequestHead(bytes, bytes.length, CASE_LIMITS, head)).toBe(bytes.length);
    const drop = (1 << FIELD.connection) | (1 << FIELD.nominated);
    expect(keptFields(head.text, head.fields, drop)).toBe('X-A: 1\r\nHost: h\r\n');
  });

  it('that end at this hop anyway are still found when a Connection header nominates them', () => {
    const bytes = Buffer.from(
      'GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nUpgrade: x\r\nConnection: TE, Upgrade\r\n\r\n',
    );
    const head = new RequestHead();
    expect(parseRequestHead(bytes, bytes.length, CASE_LIMITS, head)).toBe(bytes.length);
    expect(joinedValues(head.text, head.fields, FIELD.te)).toBe('trailers');
    expect(joinedValues(head.text, head.fields, FIELD.upgrade)).toBe('x');
  });
});

describe('the request line for a backend', () => {
  it.each([
    ['GET /a?b HTTP/1.1', 'GET /a?b HTTP/1.1'],
    ['\r\nGET /a HTTP/1.1', 'GET /a HTTP/1.1'],
    ['GET /a HTTP/1.0', 'GET /a HTTP/1.1'],
    ['GET /a HTTP/1.7', 'GET /a HTTP/1.1'],
    ['GET http://a/b?c HTTP/1.1', 'GET /b?c HTTP/1.1'],
    ['GET http://a HTTP/1.1', 'GET / HTTP/1.1'],
    ['GET http://a?b=/c HTTP/1.1', 'GET /?b=/c HTTP/1.1'],
    ['OPTIONS http://a HTTP/1.1', 'OPTIONS * HTTP/1.1'],
    ['OPTIONS http://a?b HTTP/1.1', 'OPTIONS /?b HTTP/1.1'],
    ['OPTIONS * HTTP/1.1', 'OPTIONS * HTTP/1.1'],
  ])('for %j is %j', (received, forwarded) => {
    const head = new RequestHead();
    const bytes = Buffer.from(`${received}\r\nHost: a\r\n\r\n`);
    parseRequestHead(bytes, bytes.length, CASE_LIMITS, head);
    expect(head.forwardLine).toBe(`${forwarded}\r\n`);
  });
});
