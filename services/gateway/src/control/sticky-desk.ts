import { type StateStore, StoreUnavailableError } from '@usher/ports';
import type { StickyAnswer, StickyQuestion } from '../sticky/store-asks.ts';
import type { SessionBook } from './session-book.ts';
import type { SessionNames } from './session-names.ts';

/** Questions that may be with the store at a time; the next ones are answered as if it were away. */
const UNDER_WAY_MAX = 10_000;

/** Asks the store where sessions are, for the workers. */
export class StickyDesk {
  readonly #store: Pick<StateStore, 'sticky' | 'status'>;
  readonly #book: SessionBook;
  readonly #names: SessionNames;
  #underWay = 0;

  constructor(store: Pick<StateStore, 'sticky' | 'status'>, book: SessionBook, names: SessionNames) {
    this.#store = store;
    this.#book = book;
    this.#names = names;
  }

  /** Never rejects, and takes no longer than the store's command timeout for each step. */
  async answer(question: StickyQuestion): Promise<StickyAnswer> {
    const { pool, session } = question;
    const name = this.#names.nameOf(pool, session);
    const answer = await this.#answer({ ...question, session: name });
    // Cleared meanwhile: this was about the session that is over.
    return this.#names.nameOf(pool, session) === name ? answer : await this.answer(question);
  }

  async #answer(question: StickyQuestion): Promise<StickyAnswer> {
    if (!this.#store.status().connected || this.#underWay >= UNDER_WAY_MAX) return this.#recall(question);
    this.#underWay += 1;
    try {
      const answer = await this.#ask(question);
      if (answer.backend !== undefined)
        this.#book.learn(question.pool, nameOf(question, !answer.common), answer.backend);
      return answer;
    } catch (error) {
      if (error instanceof StoreUnavailableError) return this.#recall(question);
      throw error;
    } finally {
      this.#underWay -= 1;
    }
  }

  /** Without the store: where the gateway last heard of the session. */
  #recall(question: StickyQuestion): StickyAnswer {
    const { pool, idleMs } = question;
    for (const own of partsOf(question)) {
      const backend = this.#book.find(pool, nameOf(question, own), idleMs);
      if (backend !== undefined) return { away: true, backend, common: !own };
    }
    return { away: true, backend: undefined, common: true };
  }

  async #ask(question: StickyQuestion): Promise<StickyAnswer> {
    const { want } = question;
    if (want.kind === 'look') return (await this.#look(question)) ?? { ...NOBODY, common: true };
    const { sticky } = this.#store;
    const { pool, ttlMs, idleMs, tier, affinity } = question;
    const own = want.apart || (tier !== '' && !affinity);
    const id = nameOf(question, own);
    const assignment = { pool, id, backend: want.to, ttlMs, idleMs };
    if (want.kind === 'assign') {
      // One for the tier comes before the one for all.
      const there = own || tier === '' ? undefined : await this.#look(question);
      if (there !== undefined) return there;
      // A store that was away may have forgotten what the gateways have not.
      const backend = this.#book.find(pool, id, idleMs, this.#store.status().sinceMs) ?? want.to;
      return { away: false, backend: await sticky.assign({ ...assignment, backend }), common: !own };
    }
    const found = await sticky.move(assignment, want.from);
    // It was over meanwhile: begun anew, where the request goes.
    return { away: false, backend: found ?? (await sticky.assign(assignment)), common: !own };
  }

  /** Where the session is, if anybody knows. */
  async #look(question: StickyQuestion): Promise<StickyAnswer | undefined> {
    const { sticky } = this.#store;
    for (const own of partsOf(question)) {
      const backend = await sticky.get(question.pool, nameOf(question, own));
      if (backend !== undefined) return { away: false, backend, common: !own };
    }
    return undefined;
  }
}

const NOBODY = { away: false, backend: undefined } as const;

/** Where to look for the session, in this order: its part of the tier, and the one for all. */
function partsOf({ tier, affinity }: StickyQuestion): readonly boolean[] {
  if (tier === '') return [false];
  return affinity ? [true, false] : [true];
}

/** What the store knows the session by; `own`: its part of one tier. */
function nameOf({ session, tier }: StickyQuestion, own: boolean): string {
  return own ? `${session}#${tier}` : session;
}
