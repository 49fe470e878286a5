import { timingSafeEqual } from 'node:crypto';
import { COOKIE_SESSION } from '@usher/runtime';
import { type CookieKey, MAC_BYTES, TAG_BYTES } from './cookie-key.ts';

const VERSION = 1;
export const SESSION_BYTES = COOKIE_SESSION.bytes;
const SESSION_AT = COOKIE_SESSION.at;
const TIME_BYTES = 4;
const TIER_BYTES = 4;
const SEAT_BYTES = TIER_BYTES + TAG_BYTES;
const SEATS_AT = SESSION_AT + SESSION_BYTES + 2 * TIME_BYTES;
/** Tiers whose requests are on other backends than the first; of more, those that came last are kept. */
const TIERS_MAX = 4;
const TEXT_LENGTH_MIN = textLength(1);
const TEXT_LENGTH_MAX = textLength(1 + TIERS_MAX);

/** The tier of requests that have none, or whose tier does not matter. */
export const ANY_TIER = 0;

/** Which backend a session's requests of a tier go to. */
interface Seat {
  /** Hash of the tier's name, or ANY_TIER. */
  readonly tier: number;
  readonly backend: string;
}

/** What a cookie says. */
export interface CookieContent {
  /** In base64url. */
  readonly session: string;
  /** When its backend was chosen, and when it was last set, in seconds since the epoch. */
  readonly issuedS: number;
  readonly seenS: number;
  /** At least one; those whose backend is not known any more are left out by `decode`. */
  readonly seats: readonly Seat[];
  /** It was made with the key that signs now. */
  readonly current: boolean;
}

/**
 * Values of cookies: version, which key, session, two times, pairs of tier and backend, and a keyed hash of all that, in
 * base64url. There is exactly one text for one content.
 */
export class CookieCodec {
  readonly #keys: readonly CookieKey[];

  /** The first key signs, all of them are good. */
  constructor(keys: readonly CookieKey[]) {
    this.#keys = keys;
  }

  encode({ session, issuedS, seenS, seats }: Omit<CookieContent, 'current'>): string {
    const key = this.#keys[0];
    if (key === undefined) return '';
    const kept = seats.length <= 1 + TIERS_MAX ? seats : [...seats.slice(0, 1), ...seats.slice(-TIERS_MAX)];
    const payload = Buffer.alloc(SEATS_AT + kept.length * SEAT_BYTES);
    payload[0] = VERSION;
    payload[1] = key.mark;
    payload.write(session, SESSION_AT, SESSION_BYTES, 'base64url');
    payload.writeUInt32BE(issuedS, SEATS_AT - 2 * TIME_BYTES);
    payload.writeUInt32BE(seenS, SEATS_AT - TIME_BYTES);
    for (const [index, { tier, backend }] of kept.entries()) {
      const at = SEATS_AT + index * SEAT_BYTES;
      payload.writeUInt32BE(tier, at);
      payload.write(key.tagOf(backend), at + TIER_BYTES, TAG_BYTES, 'latin1');
    }
    return Buffer.concat([payload, key.sign(payload)]).toString('base64url');
  }

  /** Undefined for what no key of ours has signed. */
  decode(text: string, backends: readonly { readonly id: string }[]): CookieContent | undefined {
    if (text.length < TEXT_LENGTH_MIN || text.length > TEXT_LENGTH_MAX) return undefined;
    const bytes = Buffer.from(text, 'base64url');
    const seatsEnd = bytes.length - MAC_BYTES;
    if (bytes[0] !== VERSION || seatsEnd <= SEATS_AT || (seatsEnd - SEATS_AT) % SEAT_BYTES !== 0)
      return undefined;
    const payload = bytes.subarray(0, seatsEnd);
    const key = this.#keys.find(
      (each) => each.mark === bytes[1] && timingSafeEqual(each.sign(payload), bytes.subarray(seatsEnd)),
    );
    // Characters that base64url has no use for would make many texts of one.
    if (key === undefined || bytes.toString('base64url') !== text) return undefined;
    const seats: Seat[] = [];
    for (let at = SEATS_AT; at < seatsEnd; at += SEAT_BYTES) {
      const backend = key.backendOf(bytes.toString('latin1', at + TIER_BYTES, at + SEAT_BYTES), backends);
      if (backend !== undefined) seats.push({ tier: bytes.readUInt32BE(at), backend });
    }
    return {
      session: bytes.toString('base64url', SESSION_AT, SESSION_AT + SESSION_BYTES),
      issuedS: bytes.readUInt32BE(SEATS_AT - 2 * TIME_BYTES),
      seenS: bytes.readUInt32BE(SEATS_AT - TIME_BYTES),
      seats,
      current: key === this.#keys[0],
    };
  }
}

function textLength(seats: number): number {
  return Math.ceil(((SEATS_AT + seats * SEAT_BYTES + MAC_BYTES) * 4) / 3);
}
