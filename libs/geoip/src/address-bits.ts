/** An address as four words of 32 bits. An IPv4 address is the IPv6 one that it is mapped to (RFC 4291 section 2.5.5.2). */
export type AddressBits = Uint32Array;

export function newAddressBits(): AddressBits {
  return new Uint32Array(4);
}

const DOT = 46;
const ZERO = 48;
const NINE = 57;
const COLON = 58;
const GROUPS = 8;
const OCTETS = 4;
const GROUP_DIGITS_MAX = 4;
/** Of the words before it, in an IPv4 address. */
const MAPPED = 0xffff;

/** The groups of the address that is being read. One thread reads one address at a time. */
const groups = new Uint16Array(GROUPS);

export const ADDRESS_BITS = 128;

/** Bits of a prefix that an IPv4 address has more when it is written as an IPv6 one. */
export const MAPPED_PREFIX_BITS = 96;

export function isMapped(bits: AddressBits): boolean {
  return bits[0] === 0 && bits[1] === 0 && bits[2] === MAPPED;
}

/** As text: an IPv4 address with dots, an IPv6 address with all of its groups. */
export function addressText(bits: AddressBits): string {
  if (isMapped(bits)) {
    const word = bits[3]!;
    return `${word >>> 24}.${(word >>> 16) & 0xff}.${(word >>> 8) & 0xff}.${word & 0xff}`;
  }
  return Array.from(bits, (word) => `${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`).join(
    ':',
  );
}

/** Reads an address in text, without allocating anything; false when it is none. A zone (`%eth0`) does not count. */
export function readAddress(text: string, into: AddressBits): boolean {
  const percent = text.indexOf('%');
  const end = percent < 0 ? text.length : percent;
  return text.indexOf(':') < 0 ? readIpv4(text, end, into) : readIpv6(text, end, into);
}

function readIpv4(text: string, end: number, into: AddressBits): boolean {
  if (end !== text.length || !readDottedQuad(text, 0, end, 0)) return false;
  into[0] = 0;
  into[1] = 0;
  into[2] = MAPPED;
  into[3] = (groups[0]! << 16) | groups[1]!;
  return true;
}

function readIpv6(text: string, end: number, into: AddressBits): boolean {
  let count = 0;
  /** Where `::` stands for as many groups as are missing. */
  let gap = -1;
  let at = 0;
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return false;
    gap = 0;
    at = 2;
  }
  while (at < end) {
    if (count === GROUPS) return false;
    const stop = groupEnd(text, at, end);
    if (stop < end && text.charCodeAt(stop) === DOT) {
      if (count > GROUPS - 2 || !readDottedQuad(text, at, end, count)) return false;
      count += 2;
      at = end;
      break;
    }
    const group = hexGroup(text, at, stop);
    if (group < 0) return false;
    groups[count++] = group;
    if (stop === end) {
      at = end;
      break;
    }
    at = stop + 1;
    if (at === end) return false;
    if (text.charCodeAt(at) === COLON) {
      if (gap >= 0) return false;
      gap = count;
      at += 1;
    }
  }
  if (gap < 0 ? count !== GROUPS : count >= GROUPS) return false;
  spread(count, gap, into);
  return true;
}

/** Puts the groups where they belong, those behind the gap at the end. */
function spread(count: number, gap: number, into: AddressBits): void {
  const missing = GROUPS - count;
  if (gap >= 0) {
    groups.copyWithin(gap + missing, gap, count);
    groups.fill(0, gap, gap + missing);
  }
  for (let word = 0; word < 4; word++) into[word] = (groups[2 * word]! << 16) | groups[2 * word + 1]!;
}

/** Offset of the colon or dot, or of the end, after the group that begins at `from`. */
function groupEnd(text: string, from: number, end: number): number {
  let at = from;
  while (at < end && text.charCodeAt(at) !== COLON && text.charCodeAt(at) !== DOT) at += 1;
  return at;
}

/** -1 when it is none. */
function hexGroup(text: string, from: number, end: number): number {
  if (end === from || end - from > GROUP_DIGITS_MAX) return -1;
  let value = 0;
  for (let at = from; at < end; at++) {
    const digit = hexDigit(text.charCodeAt(at));
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

function hexDigit(char: number): number {
  if (char >= ZERO && char <= NINE) return char - ZERO;
  const lower = char | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** Reads what stands for the two groups from `into` on. Numbers of 32 bits are never handed on, because they may be boxed. */
function readDottedQuad(text: string, from: number, end: number, into: number): boolean {
  let octet = 0;
  let digits = 0;
  let octets = 0;
  for (let at = from; at <= end; at++) {
    const char = at < end ? text.charCodeAt(at) : DOT;
    if (char === DOT) {
      if (digits === 0 || octets === OCTETS) return false;
      const group = into + (octets >>> 1);
      groups[group] = (octets & 1) === 0 ? octet << 8 : groups[group]! | octet;
      octets += 1;
      octet = 0;
      digits = 0;
    } else {
      // Some read a zero in front as octal.
      if (char < ZERO || char > NINE || (digits > 0 && octet === 0)) return false;
      digits += 1;
      octet = octet * 10 + char - ZERO;
      if (octet > 255) return false;
    }
  }
  return octets === OCTETS;
}
