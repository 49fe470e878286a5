/** Classes of bytes in an HTTP/1.1 head, one bit each, so that validating a byte is one load and one test. */
export const CHAR = {
  /** tchar, RFC 9110 section 5.6.2. */
  token: 1,
  /** What a field value may contain: HTAB, SP, VCHAR and obs-text, RFC 9110 section 5.5. */
  value: 2,
  /** What a request target may contain: visible ASCII without `#`, which starts a fragment and is never sent. */
  target: 4,
  digit: 8,
  hex: 16,
  /**
   * What a host name may contain, RFC 3986 section 3.2.2. The comma is left out although the grammar has it: in a Host
   * field it means that somebody merged two of them.
   */
  host: 32,
} as const;

export const BYTE = {
  tab: 9,
  lf: 10,
  cr: 13,
  space: 32,
  quote: 34,
  star: 42,
  comma: 44,
  hyphen: 45,
  slash: 47,
  zero: 48,
  colon: 58,
  semicolon: 59,
  equals: 61,
  question: 63,
  at: 64,
  openBracket: 91,
  backslash: 92,
  closeBracket: 93,
  underscore: 95,
} as const;

const DIGITS = '0123456789';
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

function classify(): Uint8Array {
  const classes = new Uint8Array(256);
  const add = (bit: number, characters: string): void => {
    for (const character of characters) classes[character.charCodeAt(0)]! |= bit;
  };
  add(CHAR.token, `!#$%&'*+-.^_\`|~${DIGITS}${LETTERS}`);
  add(CHAR.digit, DIGITS);
  add(CHAR.hex, `${DIGITS}abcdefABCDEF`);
  add(CHAR.host, `-._~%!$&'()*+;=${DIGITS}${LETTERS}`);
  for (let byte = 0; byte < 256; byte++) {
    if (byte === BYTE.tab || (byte >= 32 && byte !== 127)) classes[byte]! |= CHAR.value;
    if (byte > 32 && byte < 127 && byte !== 35) classes[byte]! |= CHAR.target;
  }
  return classes;
}

/** The classes of each byte. */
export const CLASS_OF = classify();

/** ASCII lower case of each byte. */
export const LOWER = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 65 && byte <= 90 ? byte + 32 : byte,
);

/** Value of a hexadecimal digit; meaningful only for bytes of class `hex`. */
export function hexValue(byte: number): number {
  return byte <= 57 ? byte - 48 : LOWER[byte]! - 87;
}
