import { hashOf } from '@usher/domain';
import type { BackendSlot } from '../routing-table.ts';
import { ANY_TIER } from './cookie-codec.ts';
import type { CookieSessions } from './cookie-sessions.ts';
import { causeOf, isUsable, type Seated, slotOf } from './seats.ts';
import type { Visit } from './sticky.ts';
import type { TextEntry } from './text-table.ts';

/** Which backend a session's requests of a tier go to. */
interface TierSeat extends Seated {
  /** Hash of the tier's name, or ANY_TIER. */
  readonly tier: number;
}

/** What a cookie says, and what has become of that since. */
export interface CookieSession extends TextEntry {
  readonly session: string;
  issuedS: number;
  readonly seenS: number;
  /** It was made with the key that signs now. */
  readonly current: boolean;
  readonly seats: TierSeat[];
  /** It says something else now, so the client has to be told. */
  changed: boolean;
  /** The value that the client is given instead, and since when; empty = none yet. */
  next: string;
  nextAtS: number;
}

/** A request of a session by cookie. */
export class CookieVisit implements Visit {
  readonly cookies: string | undefined;
  /** Everything is in the cookie. */
  readonly question = undefined;
  tier = '';
  tierAt = 0;
  readonly #sessions: CookieSessions;
  readonly #session: CookieSession;
  readonly #fresh: boolean;
  readonly #overTls: boolean;
  #tried: readonly BackendSlot[] = [];

  constructor(
    sessions: CookieSessions,
    session: CookieSession,
    fresh: boolean,
    cookies: string | undefined,
    overTls: boolean,
  ) {
    this.#sessions = sessions;
    this.#session = session;
    this.#fresh = fresh;
    this.cookies = cookies;
    this.#overTls = overTls;
  }

  get session(): string {
    return this.#session.session;
  }

  preferred(tried: readonly BackendSlot[]): BackendSlot | undefined {
    const { pool } = this.#sessions;
    this.#tried = tried;
    const seat = this.#seat();
    if (seat === undefined) return undefined;
    const slot = slotOf(pool, seat);
    if (isUsable(slot, tried, this.tierAt)) return slot;
    // Requests that come together should leave together.
    const heard = this.#sessions.heardOf(this.session);
    const other = heard === undefined ? undefined : pool.slots.find(({ id }) => id === heard);
    return isUsable(other, tried, this.tierAt) ? other : undefined;
  }

  seen() {
    return { backend: this.#seat()?.backend, slot: this.preferred([]) };
  }

  began(slot: BackendSlot): void {
    const { counts, settings } = this.#sessions;
    const session = this.#session;
    const seat = this.#seat();
    const tier = this.#tierHash();
    if (seat?.backend === slot.id) {
      seat.slot = slot;
      if (!this.#fresh) counts.kept += 1;
      return;
    }
    const cause = seat === undefined ? 'full' : causeOf(slotOf(this.#sessions.pool, seat), this.#tried);
    session.changed = true;
    session.next = '';
    session.issuedS = this.#sessions.nowS();
    const before = seat?.backend;
    // Only a lack of room for the tier leaves the session's other tiers where they are.
    const apart = seat?.tier === ANY_TIER && tier !== ANY_TIER && cause === 'full';
    if (seat === undefined) {
      session.seats.push({ tier: settings.affinity ? ANY_TIER : tier, backend: slot.id, slot });
    } else if (apart) {
      session.seats.push({ tier, backend: slot.id, slot });
    } else {
      seat.backend = slot.id;
      seat.slot = slot;
    }
    if (before === undefined) counts.begun += 1;
    else if (!this.#fresh) this.#sessions.moved(session, before, slot.id, cause);
  }

  setCookie(): string {
    const sessions = this.#sessions;
    const session = this.#session;
    const nowS = sessions.nowS();
    const due = nowS - session.seenS >= sessions.renewS;
    if (!session.changed && session.current && !due) return '';
    if (session.next === '' || nowS - session.nextAtS >= sessions.renewS) {
      session.next = sessions.write(session, nowS);
      session.nextAtS = nowS;
    }
    return sessions.header(session.next, this.#overTls);
  }

  /** Where the requests of its tier are. */
  #seat(): TierSeat | undefined {
    if (this.tier !== '') {
      const own = this.#seatOf(this.#tierHash());
      if (own !== undefined || !this.#sessions.settings.affinity) return own;
    }
    return this.#seatOf(ANY_TIER);
  }

  #seatOf(tier: number): TierSeat | undefined {
    for (const seat of this.#session.seats) if (seat.tier === tier) return seat;
    return undefined;
  }

  #tierHash(): number {
    return this.tier === '' ? ANY_TIER : hashOf(this.tier);
  }
}
