import { hash } from 'node:crypto';
import type { TokenSettings } from '@usher/domain';
import { JwtChecker, type JwtKeySet, nameOfPlace } from '@usher/runtime';
import { type TurnedAway, turnedAway } from '../wire/own-answer.ts';
import { claimFields } from './claim-headers.ts';
import type { Fields } from './header-edits.ts';
import type { PlaceKeys, PlaceSecret, TokenKeys } from './token-keys.ts';
import type { TrafficRequest } from './traffic-request.ts';

/** So many tokens are remembered that were found good. */
const KNOWN_MAX = 4096;
const MS_PER_S = 1000;
const BEARER = /^Bearer +([!-~]+) *$/i;
/** A name is written into headers. */
const SUBJECT = /^[!-~]{1,256}$/;

/** A secret of the settings, as tokens were checked with it. */
interface NamedSecret {
  readonly id: string | undefined;
  readonly place: PlaceSecret;
  text: string | undefined;
}

interface Known {
  readonly untilMs: number;
  readonly subject: string;
  readonly claims: Fields;
}

const NO_TOKEN = turnedAway('unauthorized', 'a token is required', ['www-authenticate', 'Bearer']);
const BAD_TOKEN = turnedAway('unauthorized', 'this token is not valid here', [
  'www-authenticate',
  'Bearer error="invalid_token"',
]);

/** Knows callers by signed tokens (RFC 6750, RFC 7519). A token is checked once and remembered until it expires. */
export class Tokens {
  readonly #settings: TokenSettings;
  #checker: JwtChecker | undefined;
  /** By the hash of the token, the one that was seen first at the beginning. */
  readonly #known = new Map<string, Known>();
  readonly #place: PlaceKeys | undefined;
  /** The published keys that those tokens were checked with. */
  #published: JwtKeySet | undefined;
  readonly #secrets: readonly NamedSecret[];

  constructor(settings: TokenSettings, tokenKeys: TokenKeys) {
    const { jwks, keys } = settings;
    this.#settings = settings;
    this.#place = jwks === undefined ? undefined : tokenKeys.at(nameOfPlace(jwks));
    this.#secrets = keys.flatMap((key) =>
      key.algorithm === 'HS256' ? [{ id: key.id, place: tokenKeys.secretAt(key.reference), text: '' }] : [],
    );
    this.#begin();
  }

  /** Finds out who calls; answers with a refusal when that is nobody. */
  identify(request: TrafficRequest, nowMs: number): TurnedAway | undefined {
    const shown = request.header('authorization');
    if (shown === undefined) return NO_TOKEN;
    const token = BEARER.exec(shown)?.[1];
    const known = token === undefined ? undefined : this.#lookUp(token, nowMs);
    if (known === undefined) return BAD_TOKEN;
    if (known.subject !== '') request.consumer = known.subject;
    request.claims = known.claims;
    return undefined;
  }

  #lookUp(token: string, nowMs: number): Known | undefined {
    if (this.#place?.keys !== this.#published || this.#secrets.some(hasChanged)) this.#begin();
    const id = hash('sha256', token, 'base64');
    const known = this.#known.get(id);
    if (known !== undefined && nowMs < known.untilMs) return known;
    this.#known.delete(id);
    const verdict = this.#checker?.check(token, nowMs, this.#published);
    if (verdict?.ok === false && verdict.fault === 'unknown_key') this.#place?.want(nowMs);
    if (verdict?.ok !== true) return undefined;
    const subject = verdict.claims.get('sub');
    const fresh = {
      untilMs: Number(verdict.claims.get('exp')) * MS_PER_S,
      subject: typeof subject === 'string' && SUBJECT.test(subject) ? subject : '',
      claims: claimFields(this.#settings.claimHeaders ?? {}, verdict.claims),
    };
    if (this.#known.size >= KNOWN_MAX) this.#forgetFirst();
    this.#known.set(id, fresh);
    return fresh;
  }

  /** A key that was withdrawn may have signed any of the tokens that are remembered. */
  #begin(): void {
    this.#published = this.#place?.keys;
    for (const secret of this.#secrets) secret.text = secret.place.text;
    this.#checker = checkerFor(this.#settings, this.#secrets);
    this.#known.clear();
  }

  #forgetFirst(): void {
    for (const id of this.#known.keys()) {
      this.#known.delete(id);
      return;
    }
  }
}

function hasChanged({ place, text }: NamedSecret): boolean {
  return place.text !== text;
}

/** Without a key that is one, nobody is let in: what is in the log must not end a gateway. */
function checkerFor(
  { issuer, audience, keys }: TokenSettings,
  secrets: readonly NamedSecret[],
): JwtChecker | undefined {
  const open = keys.filter((key) => key.algorithm !== 'HS256');
  const secret = secrets.flatMap(({ id, text }) =>
    text === undefined ? [] : [{ id, algorithm: 'HS256', key: text } as const],
  );
  try {
    return new JwtChecker({ issuer, audience, keys: [...open, ...secret] });
  } catch {
    return undefined;
  }
}
