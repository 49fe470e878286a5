import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { isKeyFor, type JwtAlgorithm } from './algorithms.ts';

/** More than any issuer has at a time; each that has no id is tried on each token. */
const KEYS_MAX = 32;

export interface JwtKey {
  /** What tokens call it (`kid`); without one it is tried on every token of its algorithm. */
  readonly id?: string | undefined;
  /** The only algorithm that it is used with, whatever a token says. */
  readonly algorithm: JwtAlgorithm;
  readonly key: KeyObject;
}

/** A key of the configuration: the secret itself for HS256, else a public key in PEM form. */
export interface JwtKeySettings {
  readonly id?: string | undefined;
  readonly algorithm: JwtAlgorithm;
  readonly key: string;
}

/** Keys by the ids that tokens may name. */
export class JwtKeySet {
  readonly #all: readonly JwtKey[];
  readonly #named = new Map<string, JwtKey[]>();

  constructor(keys: readonly JwtKey[]) {
    this.#all = keys;
    for (const key of keys) {
      if (key.id === undefined) continue;
      const known = this.#named.get(key.id);
      if (known === undefined) this.#named.set(key.id, [key]);
      else known.push(key);
    }
  }

  /** The keys that a token may be signed with. One that names none may be signed with the only key of its algorithm. */
  candidates(id: string | undefined, algorithm: unknown): readonly JwtKey[] {
    const ofAlgorithm = (key: JwtKey) => key.algorithm === algorithm;
    if (id !== undefined) {
      const named = this.#named.get(id)?.filter(ofAlgorithm) ?? [];
      return [...named, ...this.#all.filter((key) => key.id === undefined && ofAlgorithm(key))];
    }
    const fitting = this.#all.filter(ofAlgorithm);
    return fitting.length === 1 ? fitting : fitting.filter((key) => key.id === undefined);
  }
}

/** Throws when the text is no key of its algorithm, without a word about what it is. */
export function readJwtKey({ id, algorithm, key: text }: JwtKeySettings): JwtKey {
  const key = keyIn(algorithm, text);
  if (key === undefined || !isKeyFor(algorithm, key)) throw new Error(`this is no key for ${algorithm}`);
  return { id, algorithm, key };
}

/** What `readJwtKey` makes the same public key of, for threads that get texts. */
export function writtenJwtKey({ id, algorithm, key }: JwtKey): JwtKeySettings {
  return { id, algorithm, key: key.export({ type: 'spki', format: 'pem' }) };
}

function keyIn(algorithm: JwtAlgorithm, text: string): KeyObject | undefined {
  if (algorithm === 'HS256') return text.includes('-----BEGIN') ? undefined : createSecretKey(text, 'utf8');
  try {
    // A private key would do, too, but it has no business here.
    return text.includes('PRIVATE KEY') ? undefined : createPublicKey(text);
  } catch {
    return undefined;
  }
}

/** Public members only (RFC 7517): what a set says beyond them is not used. */
const KINDS: readonly {
  readonly kty: string;
  readonly crv?: string;
  readonly alg: JwtAlgorithm;
  readonly members: readonly string[];
}[] = [
  { kty: 'RSA', alg: 'RS256', members: ['kty', 'n', 'e'] },
  { kty: 'EC', crv: 'P-256', alg: 'ES256', members: ['kty', 'crv', 'x', 'y'] },
  { kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', members: ['kty', 'crv', 'x'] },
];

/**
 * The keys of a JSON Web Key Set that tokens can be checked with. Keys for other algorithms and purposes are left out, and so
 * are secrets, which no such set has. Throws when none is left.
 */
export function readKeySet(text: string, algorithms: readonly JwtAlgorithm[]): readonly JwtKey[] {
  const found = entriesOf(text)
    .slice(0, KEYS_MAX)
    .flatMap((entry) => publicKeyOf(entry) ?? [])
    .filter(({ algorithm }) => algorithms.includes(algorithm));
  if (found.length === 0) throw new Error(`it has no key for ${algorithms.join(', ')}`);
  return found;
}

function entriesOf(text: string): readonly unknown[] {
  let set: unknown;
  try {
    set = JSON.parse(text);
  } catch {
    throw new Error('it is not JSON');
  }
  const keys = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : undefined;
  if (!Array.isArray(keys)) throw new Error('it is no set of keys');
  return keys;
}

function publicKeyOf(entry: unknown): JwtKey | undefined {
  if (typeof entry !== 'object' || entry === null) return undefined;
  const jwk = new Map<string, unknown>(Object.entries(entry));
  const kind = KINDS.find(
    ({ kty, crv }) => jwk.get('kty') === kty && (crv ?? jwk.get('crv')) === jwk.get('crv'),
  );
  const id = jwk.get('kid');
  const operations = jwk.get('key_ops');
  if (kind === undefined || (id !== undefined && typeof id !== 'string')) return undefined;
  if ((jwk.get('use') ?? 'sig') !== 'sig' || (jwk.get('alg') ?? kind.alg) !== kind.alg) return undefined;
  if (Array.isArray(operations) && !operations.includes('verify')) return undefined;
  const members = Object.fromEntries(kind.members.map((name) => [name, jwk.get(name)]));
  try {
    const key = createPublicKey({ key: members, format: 'jwk' });
    return isKeyFor(kind.alg, key) ? { id, algorithm: kind.alg, key } : undefined;
  } catch {
    return undefined;
  }
}
