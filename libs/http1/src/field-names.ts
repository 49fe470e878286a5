import { BYTE, LOWER } from './chars.ts';

/** Header names that a proxy acts on. Every other name is `other`, which is never looked at again. At most 31 ids: they are bits. */
export const FIELD = {
  other: 0,
  host: 1,
  connection: 2,
  contentLength: 3,
  transferEncoding: 4,
  te: 5,
  upgrade: 6,
  keepAlive: 7,
  /** Proxy-Connection, Proxy-Authenticate, Proxy-Authorization, Proxy-Authentication-Info. */
  proxyHop: 8,
  expect: 9,
  xForwardedFor: 10,
  xForwardedProto: 11,
  xForwardedHost: 12,
  xRequestId: 13,
  /**
   * Other names by which a client could claim to be somebody else: X-Real-IP, X-Forwarded-Port, and these and X-Forwarded-For,
   * -Proto and -Host with underscores, which are the same to what hands headers over as variables (RFC 3875 section 4.1.18).
   */
  claim: 14,
  /** A line whose name a Connection header nominates; given to a line after the scan, never looked up by name. */
  nominated: 15,
  forwarded: 16,
  cookie: 17,
} as const;

interface KnownName {
  readonly id: number;
  readonly bytes: Uint8Array;
  /** By byte, what it counts as. */
  readonly folded: Uint8Array;
}

const NAMES: readonly (readonly [string, number])[] = [
  ['host', FIELD.host],
  ['connection', FIELD.connection],
  ['content-length', FIELD.contentLength],
  ['transfer-encoding', FIELD.transferEncoding],
  ['te', FIELD.te],
  ['upgrade', FIELD.upgrade],
  ['keep-alive', FIELD.keepAlive],
  ['proxy-connection', FIELD.proxyHop],
  ['proxy-authenticate', FIELD.proxyHop],
  ['proxy-authorization', FIELD.proxyHop],
  ['proxy-authentication-info', FIELD.proxyHop],
  ['expect', FIELD.expect],
  ['x-forwarded-for', FIELD.xForwardedFor],
  ['x-forwarded-proto', FIELD.xForwardedProto],
  ['x-forwarded-host', FIELD.xForwardedHost],
  ['x-request-id', FIELD.xRequestId],
  ['forwarded', FIELD.forwarded],
  ['cookie', FIELD.cookie],
  ['x-real-ip', FIELD.claim],
  ['x-forwarded-port', FIELD.claim],
];

const CLAIMS: ReadonlySet<string> = new Set(
  NAMES.map(([name]) => name).filter((name) => /^x-(forwarded-|real-ip$)/.test(name)),
);

/** Small letters, and hyphens for underscores. */
const LOWER_HYPHENATED = LOWER.map((lower, byte) => (byte === BYTE.underscore ? BYTE.hyphen : lower));

const LENGTH_MAX = Math.max(...NAMES.map(([name]) => name.length));

/** Those with underscores last, so that only what is no known name is compared with them. */
const KNOWN: readonly KnownName[] = [
  ...NAMES.map(([name, id]) => ({ id, bytes: Buffer.from(name), folded: LOWER })),
  ...Array.from(CLAIMS, (name) => ({ id: FIELD.claim, bytes: Buffer.from(name), folded: LOWER_HYPHENATED })),
];

const BY_LENGTH: readonly (readonly KnownName[])[] = Array.from({ length: LENGTH_MAX + 1 }, (_, length) =>
  KNOWN.filter(({ bytes }) => bytes.length === length),
);

/** Whether a name, in small letters, is one of those by which a client could claim to be somebody else, written with underscores. */
export function isClaimWithUnderscores(name: string): boolean {
  return name.includes('_') && CLAIMS.has(name.replaceAll('_', '-'));
}

/** Which known name `bytes[start..end)` is, case-insensitively; `FIELD.other` when it is none. */
export function fieldIdOf(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length > LENGTH_MAX) return FIELD.other;
  const candidates = BY_LENGTH[length]!;
  for (let i = 0; i < candidates.length; i++) {
    const candidate = candidates[i]!;
    if (equalsFolded(bytes, start, candidate.bytes, candidate.folded)) return candidate.id;
  }
  return FIELD.other;
}

/** Whether the bytes from `start` on are `lower` in any case. The caller has compared the lengths. */
export function equalsLower(bytes: Uint8Array, start: number, lower: Uint8Array): boolean {
  return equalsFolded(bytes, start, lower, LOWER);
}

function equalsFolded(bytes: Uint8Array, start: number, known: Uint8Array, folded: Uint8Array): boolean {
  for (let i = 0; i < known.length; i++) {
    if (folded[bytes[start + i]!] !== known[i]) return false;
  }
  return true;
}
