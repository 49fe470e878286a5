import { type IdKind, keyOfClient, sessionIdOf } from '@usher/runtime';
import type { BackendSlot } from '../routing-table.ts';
import { causeOf, isUsable, slotOf } from './seats.ts';
import type { SharedSession, SharedSessions } from './shared-sessions.ts';
import type { Question, Visit } from './sticky.ts';
import type { StickyAnswer, StickyQuestion } from './store-asks.ts';

/** How often a request asks where its session is before it goes somewhere else for once. */
const ROUNDS_MAX = 3;

/** What the store may be told of where a session is. */
type Placed = Exclude<StickyQuestion['want'], { readonly kind: 'look' }>;

/** A request of a session that is in the store. */
export class SharedVisit implements Visit, Question {
  /** They are not ours. */
  readonly cookies = undefined;
  tier = '';
  tierAt = 0;
  readonly #sessions: SharedSessions;
  readonly #kind: IdKind;
  readonly #text: string;
  readonly #start: number;
  readonly #end: number;
  /** What was found out last; of the sessions that the worker knows, or of this request alone. */
  #session: SharedSession | undefined;
  #sought = false;
  /** What the next attempt that begins where the session is amounts to. */
  #outcome: 'kept' | 'begun' | 'moved' = 'kept';
  #tried: readonly BackendSlot[] = [];

  /** By the header value or address in `text[start..end)`. */
  constructor(sessions: SharedSessions, kind: IdKind, text: string, start: number, end: number) {
    this.#sessions = sessions;
    this.#kind = kind;
    this.#text = text;
    this.#start = start;
    this.#end = end;
  }

  get session(): string {
    return this.#find()?.id ?? sessionIdOf(this.#kind, this.#client());
  }

  get question(): Question | undefined {
    return this.preferred([]) === undefined ? this : undefined;
  }

  preferred(tried: readonly BackendSlot[]): BackendSlot | undefined {
    this.#tried = tried;
    const session = this.#known();
    const slot = session && this.#usable(session, tried);
    if (session !== undefined && slot !== undefined) this.#sessions.refresh(session);
    return slot;
  }

  seen() {
    const session = this.#known();
    return { backend: session?.backend, slot: session && this.#usable(session, []) };
  }

  began(slot: BackendSlot): void {
    const { counts } = this.#sessions;
    const before = this.#known();
    if (before?.backend === slot.id) {
      before.slot = slot;
    } else if (before === undefined) {
      this.#outcome = 'begun';
      this.#tell({ kind: 'assign', to: slot.id, apart: false });
    } else {
      this.#outcome = 'moved';
      this.#tell(this.#wantAfter(before, slot));
    }
    counts[this.#outcome] += 1;
  }

  /** The client has nothing to keep. */
  setCookie(): string {
    return '';
  }

  look(done: () => void): () => void {
    let waiting = true;
    this.#sessions.ask(this.session, this.tier, { kind: 'look' }, (answer) => {
      if (answer.away) this.#onAway(answer.backend);
      else if (answer.backend !== undefined) this.#learn(answer.backend, answer.common);
      if (waiting) done();
    });
    return () => {
      waiting = false;
    };
  }

  settle(choose: () => BackendSlot | undefined, done: (slot: BackendSlot | undefined) => void): () => void {
    let waiting = true;
    let rounds = 0;
    const round = (): void => {
      const choice = choose();
      if (choice === undefined || ++rounds > ROUNDS_MAX) {
        done(choice);
        return;
      }
      const before = this.#known();
      const want =
        before === undefined
          ? ({ kind: 'assign', to: choice.id, apart: false } as const)
          : this.#wantAfter(before, choice);
      this.#sessions.ask(this.session, this.tier, want, (answer) => {
        const slot = this.#onSettled(answer, before, choice);
        if (!waiting) return;
        if (isUsable(slot, [], this.tierAt)) done(slot);
        else round();
      });
    };
    round();
    return () => {
      waiting = false;
    };
  }

  /** Takes up what the store says; answers with where the session is. */
  #onSettled(
    answer: StickyAnswer,
    before: SharedSession | undefined,
    choice: BackendSlot,
  ): BackendSlot | undefined {
    const sessions = this.#sessions;
    if (answer.away) return this.#onAway(answer.backend);
    const { backend = choice.id } = answer;
    if (backend === choice.id) this.#outcome = before === undefined ? 'begun' : 'moved';
    return slotOf(sessions.pool, this.#learn(backend, answer.common));
  }

  #wantAfter(before: SharedSession, { id }: BackendSlot): Placed {
    const cause = causeOf(slotOf(this.#sessions.pool, before), this.#tried);
    // Only a lack of room for the tier leaves the session's other tiers where they are.
    if (before.common && this.tier !== '' && cause === 'full') return { kind: 'assign', to: id, apart: true };
    return { kind: 'move', from: before.backend, to: id, cause, apart: !before.common };
  }

  /** Without the store: where it was last heard of, or else where every gateway would send the client. */
  #onAway(heard: string | undefined): BackendSlot | undefined {
    const sessions = this.#sessions;
    const { slots } = sessions.pool;
    const last = [heard, this.#find()?.backend].map((backend) => slots.find(({ id }) => id === backend));
    const slot =
      last.find((each) => isUsable(each, [], this.tierAt)) ??
      sessions.chooseByClient(keyOfClient(this.#kind, this.#text, this.#start, this.#end), this.tierAt);
    if (slot === undefined) return undefined;
    const session = this.#learn(slot.id, true);
    sessions.leaveAlone(session);
    return slot;
  }

  /** Tells the store where the session is from now on, and does not wait for that. */
  #tell(want: Placed): void {
    const session = this.#learn(want.to, !want.apart);
    this.#sessions.ask(session.id, this.tier, want, (answer) => {
      if (answer.away) this.#sessions.leaveAlone(session);
      else if (answer.backend !== undefined) this.#learn(answer.backend, answer.common);
    });
  }

  #usable(session: SharedSession, tried: readonly BackendSlot[]): BackendSlot | undefined {
    const slot = slotOf(this.#sessions.pool, session);
    return isUsable(slot, tried, this.tierAt) ? slot : undefined;
  }

  #learn(backend: string, common: boolean): SharedSession {
    const session = this.#sessions.know(this.#kind, this.#client(), this.tier, backend);
    session.common = common;
    this.#session = session;
    this.#sought = true;
    return session;
  }

  #known(): SharedSession | undefined {
    const session = this.#find();
    return session !== undefined && this.#sessions.isKnown(session) ? session : undefined;
  }

  #find(): SharedSession | undefined {
    if (!this.#sought) {
      this.#session = this.#sessions.find(this.#kind, this.tier, this.#text, this.#start, this.#end);
      this.#sought = true;
    }
    return this.#session;
  }

  #client(): string {
    return this.#text.slice(this.#start, this.#end);
  }
}
