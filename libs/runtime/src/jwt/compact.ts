import { readStrictObject } from './strict-json.ts';

/** Longer ones are not looked at: a header field has no room for much more. */
const TOKEN_CHARS_MAX = 8192;

/** A signed token as it was written; nothing in it has been checked. */
export interface CompactToken {
  readonly header: ReadonlyMap<string, unknown>;
  readonly claims: ReadonlyMap<string, unknown>;
  /** What the signature is over. */
  readonly signed: Buffer;
  readonly signature: Buffer;
}

/** Takes a token of three parts apart (RFC 7515 section 7.1). Undefined when it is not written exactly as that says. */
export function readCompactToken(token: string): CompactToken | undefined {
  if (token.length > TOKEN_CHARS_MAX) return undefined;
  const parts = token.split('.', 4);
  const [first, second, third] = parts.map((part) => strictBase64Url(part));
  if (parts.length !== 3 || first === undefined || second === undefined || third === undefined)
    return undefined;
  const header = readStrictObject(first);
  const claims = readStrictObject(second);
  if (header === undefined || claims === undefined) return undefined;
  const signed = Buffer.from(token.slice(0, token.lastIndexOf('.')), 'latin1');
  return { header, claims, signed, signature: third };
}

/** Node takes padding, both alphabets and bits that mean nothing; there is one way only to write some bytes here. */
function strictBase64Url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
