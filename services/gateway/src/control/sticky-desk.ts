import { type StateStore, StoreUnavailableError } from '@usher/ports';
import type { StickyAnswer, StickyQuestion } from '../sticky/store-asks.ts';

/** Questions that may be with the store at a time; the next ones are answered as if it were away. */
const UNDER_WAY_MAX = 10_000;

const AWAY: StickyAnswer = { away: true };

/** Asks the store where sessions are, for the workers. */
export class StickyDesk {
  readonly #store: Pick<StateStore, 'sticky' | 'status'>;
  #underWay = 0;

  constructor(store: Pick<StateStore, 'sticky' | 'status'>) {
    this.#store = store;
  }

  /** Never rejects, and takes no longer than the store's command timeout for each step. */
  async answer(question: StickyQuestion): Promise<StickyAnswer> {
    if (!this.#store.status().connected || this.#underWay >= UNDER_WAY_MAX) return AWAY;
    this.#underWay += 1;
    try {
      return await this.#ask(question);
    } catch (error) {
      if (error instanceof StoreUnavailableError) return AWAY;
      throw error;
    } finally {
      this.#underWay -= 1;
    }
  }

  async #ask(question: StickyQuestion): Promise<StickyAnswer> {
    const { want } = question;
    if (want.kind === 'look') return (await this.#look(question)) ?? { ...NOBODY, common: true };
    const { sticky } = this.#store;
    const { pool, ttlMs, idleMs, tier, affinity } = question;
    const own = want.apart || (tier !== '' && !affinity);
    const assignment = { pool, id: nameOf(question, own), backend: want.to, ttlMs, idleMs };
    if (want.kind === 'assign') {
      // One for the tier comes before the one for all.
      const there = own || tier === '' ? undefined : await this.#look(question);
      return there ?? { away: false, backend: await sticky.assign(assignment), common: !own };
    }
    const found = await sticky.move(assignment, want.from);
    // It was over meanwhile: begun anew, where the request goes.
    return { away: false, backend: found ?? (await sticky.assign(assignment)), common: !own };
  }

  /** Where the session is, if anybody knows. */
  async #look(question: StickyQuestion): Promise<StickyAnswer | undefined> {
    const { sticky } = this.#store;
    const { pool, tier, affinity } = question;
    for (const own of tier === '' ? [false] : affinity ? [true, false] : [true]) {
      const backend = await sticky.get(pool, nameOf(question, own));
      if (backend !== undefined) return { away: false, backend, common: !own };
    }
    return undefined;
  }
}

const NOBODY = { away: false, backend: undefined } as const;

/** What the store knows the session by; `own`: its part of one tier. */
function nameOf({ session, tier }: StickyQuestion, own: boolean): string {
  return own ? `${session}#${tier}` : session;
}
