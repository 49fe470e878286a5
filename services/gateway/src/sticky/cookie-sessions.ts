import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { hashOf, type StickyCookieSettings } from '@usher/domain';
import { FIELD, type RequestHead, singleValue } from '@usher/http1';
import type { PoolTable } from '../routing-table.ts';
import type { Peer } from '../wire/peer.ts';
import { ClearedBefore } from './cleared-before.ts';
import { CookieCodec, type CookieContent, SESSION_BYTES } from './cookie-codec.ts';
import { type CookiePlace, cookieAttributes, findCookie, withoutSeparator } from './cookie-field.ts';
import { CookieKey } from './cookie-key.ts';
import { type CookieSession, CookieVisit } from './cookie-visit.ts';
import type { MoveCause } from './seats.ts';
import { newCounts, type Sticky } from './sticky.ts';
import { TextTable } from './text-table.ts';

/** Cookies that were found to be ours: about 10 MB when the table is full. */
const KNOWN_MAX = 2 ** 15;
/** Sessions that others moved a moment ago. */
const HEARD_MAX = 4096;
/** A request may have several cookies of one name; so many of them are looked at. */
const TRIED_MAX = 4;
/** So many characters at the end of a cookie tell where to look for it. */
const HASHED_LENGTH = 8;
/** A cookie is set anew when this part of the time has passed in which it has to be used. */
const RENEWALS_PER_IDLE = 8;

/** What sessions by cookie need of their worker. */
export interface CookieTools {
  readonly now: () => number;
  /** A session goes to another backend from now on. */
  onMoved(pool: string, session: string, from: string, to: string, cause: MoveCause): void;
}

/** Sessions whose cookie says where they are. Nothing has to be remembered of them. */
export class CookieSessions implements Sticky {
  readonly counts = newCounts();
  readonly pool: PoolTable;
  readonly settings: StickyCookieSettings;
  readonly ttlS: number;
  readonly idleS: number;
  readonly renewS: number;
  readonly #tools: CookieTools;
  readonly #cleared: ClearedBefore;
  readonly #known = new TextTable<CookieSession>(KNOWN_MAX);
  readonly #heard = new Map<string, string>();
  readonly #place: CookiePlace = { start: 0, end: 0, valueStart: 0, valueEnd: 0 };
  /** What was found in the request that is looked at. */
  readonly #taken: { session: CookieSession | undefined; rest: string } = { session: undefined, rest: '' };
  readonly #plain: string;
  readonly #overTls: string;
  #codec: CookieCodec;

  constructor(
    pool: PoolTable,
    settings: StickyCookieSettings,
    secrets: readonly string[],
    tools: CookieTools,
    cleared: ClearedBefore = new ClearedBefore(),
  ) {
    this.pool = pool;
    this.settings = settings;
    this.ttlS = settings.ttlMs / 1000;
    this.idleS = settings.idleMs / 1000;
    this.renewS = Math.max(1, this.idleS / RENEWALS_PER_IDLE);
    this.#tools = tools;
    this.#cleared = cleared;
    this.#plain = cookieAttributes(settings, false);
    this.#overTls = cookieAttributes(settings, true);
    this.#codec = this.#codecOf(secrets);
  }

  /** Signs with the first of these from now on. */
  setSecrets(secrets: readonly string[]): void {
    this.#codec = this.#codecOf(secrets);
    // What was good by a key that is gone has to be looked at again.
    this.#known.clear();
  }

  visitHead(head: RequestHead, peer: Peer): CookieVisit {
    const { text, fields } = head;
    const taken = this.#taken;
    taken.session = undefined;
    let cookies: string | undefined;
    for (let line = fields.next(FIELD.cookie, 0); line >= 0; line = fields.next(FIELD.cookie, line + 1)) {
      if (!this.#take(text, fields.valueStart(line), fields.valueEnd(line))) continue;
      // Left out of what is forwarded; what is left of it is written anew.
      fields.nominate(line);
      if (cookies === undefined || cookies === '') cookies = taken.rest;
      else if (taken.rest !== '') cookies += `; ${taken.rest}`;
    }
    const claimed = fields.has(FIELD.xForwardedProto)
      ? singleValue(text, fields, FIELD.xForwardedProto)
      : undefined;
    return this.#visit(cookies, peer, claimed);
  }

  visitMessage({ headers }: IncomingMessage, peer: Peer): CookieVisit {
    const text = headers.cookie ?? '';
    this.#taken.session = undefined;
    const cookies = this.#take(text, 0, text.length) ? this.#taken.rest : undefined;
    return this.#visit(cookies, peer, [headers['x-forwarded-proto']].flat()[0]);
  }

  forget(): void {
    // What was good before has to be looked at again.
    this.#known.clear();
  }

  hear(session: string, backend: string): void {
    this.#heard.delete(session);
    this.#heard.set(session, backend);
    if (this.#heard.size > HEARD_MAX) this.#heard.delete(this.#heard.keys().next().value ?? '');
  }

  /** Where somebody else moved the session a moment ago. */
  heardOf(session: string): string | undefined {
    return this.#heard.get(session);
  }

  moved(session: CookieSession, from: string, to: string, cause: MoveCause): void {
    this.counts.moved += 1;
    if (this.#heard.get(session.session) === to) return;
    this.#tools.onMoved(this.pool.id, session.session, from, to, cause);
  }

  /** Seconds since the epoch. */
  nowS(): number {
    return Math.floor(this.#tools.now() / 1000);
  }

  /** Value of the cookie for a session; empty as long as there is no key to sign with. */
  write(session: CookieSession, seenS: number): string {
    return this.#codec.encode({ ...session, seenS });
  }

  /** Value of the Set-Cookie header for a value of the cookie. */
  header(value: string, overTls: boolean): string {
    return value === '' ? '' : `${this.settings.name}=${value}${overTls ? this.#overTls : this.#plain}`;
  }

  #codecOf(secrets: readonly string[]): CookieCodec {
    return new CookieCodec(secrets.map((secret) => new CookieKey(secret, this.pool.id)));
  }

  #visit(cookies: string | undefined, peer: Peer, claimed: string | undefined): CookieVisit {
    const overTls = peer.scheme === 'https' || (peer.trusted && claimed === 'https');
    const { session } = this.#taken;
    return new CookieVisit(this, session ?? this.#fresh(), session === undefined, cookies, overTls);
  }

  #fresh(): CookieSession {
    const session = randomBytes(SESSION_BYTES).toString('base64url');
    const nowS = this.nowS();
    return newSession('', { session, issuedS: nowS, seenS: nowS, seats: [], current: true });
  }

  /**
   * Takes our cookies out of the value of a header: the session of the first good one, unless there is one, and what is left
   * without them. False when there are none.
   */
  #take(text: string, start: number, end: number): boolean {
    const place = this.#place;
    const taken = this.#taken;
    const { name } = this.settings;
    let rest = '';
    let at = start;
    for (let found = 0; findCookie(text, at, end, name, place); found++) {
      if (taken.session === undefined && found < TRIED_MAX)
        taken.session = this.#sessionOf(text, place.valueStart, place.valueEnd);
      if (place.start > at) rest += text.slice(at, place.start);
      at = place.end;
    }
    if (at === start) return false;
    taken.rest = at < end ? rest + text.slice(at, end) : withoutSeparator(rest);
    return true;
  }

  #sessionOf(text: string, start: number, end: number): CookieSession | undefined {
    // The end is the keyed hash, which is as good as chance.
    const hash = hashOf(text, Math.max(start, end - HASHED_LENGTH), end);
    const session =
      this.#known.find(hash, '', text, start, end) ?? this.#verify(hash, text.slice(start, end));
    if (session === undefined) return undefined;
    const nowS = this.nowS();
    const over = nowS >= session.issuedS + this.ttlS || nowS >= session.seenS + this.idleS + this.renewS;
    return over || session.issuedS <= this.#cleared.allS ? undefined : session;
  }

  #verify(hash: number, value: string): CookieSession | undefined {
    const content = this.#codec.decode(value, this.pool.slots);
    if (content === undefined) {
      this.counts.refused += 1;
      return undefined;
    }
    if (content.issuedS <= this.#cleared.secondsOf(content.session)) return undefined;
    // A copy: a part of the request's head would keep all of that in memory.
    const text = Buffer.from(value, 'latin1').toString('latin1');
    const session = newSession(text, content);
    this.#known.add(hash, session);
    return session;
  }
}

/** A session that a cookie tells of; one without a text is new. */
function newSession(text: string, { session, issuedS, seenS, current, seats }: CookieContent): CookieSession {
  const placed = seats.map(({ tier, backend }) => ({ tier, backend, slot: undefined }));
  const told = { changed: text === '', next: '', nextAtS: 0 };
  return { text, space: '', session, issuedS, seenS, current, seats: placed, ...told };
}
