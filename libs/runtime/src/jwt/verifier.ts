import type { Clock, Log } from '@usher/ports';
import { isSignedBy, type JwtAlgorithm, PUBLISHED_ALGORITHMS } from './algorithms.ts';
import { type CompactToken, readCompactToken } from './compact.ts';
import { type JwtKey, JwtKeySet, type JwtKeySettings, readJwtKey } from './key-set.ts';
import { type JwksPlace, PublishedKeys } from './published-keys.ts';

/** How far the clocks of whoever issues tokens and of this machine may be apart. */
const LEEWAY_S = 30;
const KEY_ID_CHARS_MAX = 256;
/** Other kinds of tokens are signed with the same keys and mean something else (RFC 8725 section 3.11). */
const TYPES = new Set(['jwt', 'at+jwt', 'application/at+jwt']);

export interface JwtSettings {
  /** Who issues the tokens (`iss`), exactly. */
  readonly issuer: string;
  /** For whom they are (`aud`): this, or a list with it. */
  readonly audience: string;
  readonly keys: readonly JwtKeySettings[];
  /** Where the issuer publishes further keys. */
  readonly jwks?: JwksPlace | undefined;
  /** Which of those are used. */
  readonly algorithms: readonly JwtAlgorithm[];
}

/** Why a token is not good. */
type JwtFault = 'malformed' | 'not_signed' | 'expired' | 'not_yet_valid' | 'not_for_us';

export type JwtVerdict =
  | { readonly ok: true; readonly claims: ReadonlyMap<string, unknown> }
  | { readonly ok: false; readonly fault: JwtFault };

/** As `JwtVerdict`; `unknown_key`: the token names a key that may have been published since. */
export type JwtCheck = JwtVerdict | { readonly ok: false; readonly fault: 'unknown_key' };

/**
 * Checks signed tokens (RFC 7519). What a token says about how to check it is never followed: its algorithm has to be that of
 * a known key, and keys are found by their ids in memory. Throws when a key of the settings is none.
 */
export class JwtVerifier {
  readonly #settings: JwtSettings;
  readonly #clock: Clock;
  readonly #own: JwtKeySet;
  readonly #published: PublishedKeys | undefined;

  constructor(settings: JwtSettings, { clock, log }: { readonly clock: Clock; readonly log: Log }) {
    const { keys, jwks, algorithms } = settings;
    this.#settings = settings;
    this.#clock = clock;
    this.#own = new JwtKeySet(keys.map((key) => readJwtKey(key)));
    if (jwks !== undefined) this.#published = new PublishedKeys({ place: jwks, algorithms, clock, log });
  }

  stop(): void {
    this.#published?.stop();
  }

  async verify(text: string): Promise<JwtVerdict> {
    const token = readCompactToken(text);
    const id = token?.header.get('kid');
    if (token === undefined || !isPlain(token.header)) return bad('malformed');
    const key = typeof id === 'string' ? id : undefined;
    if (!(this.#isSigned(token, key) || (await this.#isSignedAnew(token, key)))) return bad('not_signed');
    const fault = claimsFault(token.claims, this.#settings, this.#clock.now());
    return fault === undefined ? { ok: true, claims: token.claims } : bad(fault);
  }

  #isSigned(token: CompactToken, id: string | undefined): boolean {
    return this.#candidates(token, id).some((key) => isSignedBy(key, token.signed, token.signature));
  }

  /** Whether it is signed with a key that has been published since they were read last. */
  async #isSignedAnew(token: CompactToken, id: string | undefined): Promise<boolean> {
    const { algorithms } = this.#settings;
    const isNews = id !== undefined && algorithms.some((each) => each === token.header.get('alg'));
    if (this.#published === undefined || !isNews || this.#candidates(token, id).length > 0) return false;
    await this.#published.renew();
    return this.#isSigned(token, id);
  }

  #candidates({ header }: CompactToken, id: string | undefined): readonly JwtKey[] {
    const algorithm = header.get('alg');
    const published = this.#published?.keys.candidates(id, algorithm) ?? [];
    return [...this.#own.candidates(id, algorithm), ...published];
  }
}

/**
 * Checks tokens with the keys that there are, at once. Otherwise as `JwtVerifier`: throws when a key of the settings is none.
 */
export class JwtChecker {
  readonly #settings: Pick<JwtSettings, 'issuer' | 'audience'>;
  readonly #keys: JwtKeySet;

  constructor(settings: Pick<JwtSettings, 'issuer' | 'audience' | 'keys'>) {
    this.#settings = settings;
    this.#keys = new JwtKeySet(settings.keys.map((key) => readJwtKey(key)));
  }

  /** `published`: further keys that its issuer has now. */
  check(text: string, nowMs: number, published?: JwtKeySet): JwtCheck {
    const token = readCompactToken(text);
    const id = token?.header.get('kid');
    if (token === undefined || !isPlain(token.header)) return bad('malformed');
    const name = typeof id === 'string' ? id : undefined;
    const algorithm = token.header.get('alg');
    const further = published?.candidates(name, algorithm) ?? [];
    const keys = [...this.#keys.candidates(name, algorithm), ...further];
    const isNews = name !== undefined && PUBLISHED_ALGORITHMS.some((each) => each === algorithm);
    if (published !== undefined && isNews && keys.length === 0) return { ok: false, fault: 'unknown_key' };
    if (!keys.some((key) => isSignedBy(key, token.signed, token.signature))) return bad('not_signed');
    const fault = claimsFault(token.claims, this.#settings, nowMs);
    return fault === undefined ? { ok: true, claims: token.claims } : bad(fault);
  }
}

/** RFC 7519 section 4.1. */
function claimsFault(
  claims: ReadonlyMap<string, unknown>,
  { issuer, audience }: Pick<JwtSettings, 'issuer' | 'audience'>,
  nowMs: number,
): JwtFault | undefined {
  const nowS = nowMs / 1000;
  const [expiry, start = 0, issued = 0, aud] = ['exp', 'nbf', 'iat', 'aud'].map((name) => claims.get(name));
  if (![expiry, start, issued].every((time) => Number.isFinite(time))) return 'malformed';
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (claims.get('iss') !== issuer || !audiences.includes(audience)) return 'not_for_us';
  if (nowS >= Number(expiry) + LEEWAY_S) return 'expired';
  return nowS < Math.max(Number(start), Number(issued)) - LEEWAY_S ? 'not_yet_valid' : undefined;
}

/** A header that asks for nothing beyond a signature. */
function isPlain(header: ReadonlyMap<string, unknown>): boolean {
  const id = header.get('kid');
  const type = header.get('typ') ?? 'JWT';
  if (header.has('crit') || typeof type !== 'string' || !TYPES.has(type.toLowerCase())) return false;
  return id === undefined || (typeof id === 'string' && id.length <= KEY_ID_CHARS_MAX);
}

function bad(fault: JwtFault): JwtVerdict {
  return { ok: false, fault };
}
