import type { MoveCause } from './seats.ts';

/** A question to the store about one session. `apart`: what is wanted is for the tier alone. */
export interface StickyQuestion {
  readonly pool: string;
  readonly session: string;
  /** Empty where it does not matter. */
  readonly tier: string;
  /** Without an assignment for the tier, the one for none counts. */
  readonly affinity: boolean;
  readonly ttlMs: number;
  readonly idleMs: number;
  readonly want:
    | { readonly kind: 'look' }
    /** Assigned unless it is already. */
    | { readonly kind: 'assign'; readonly to: string; readonly apart: boolean }
    | {
        readonly kind: 'move';
        readonly from: string;
        readonly to: string;
        readonly cause: MoveCause;
        readonly apart: boolean;
      };
}

/**
 * `backend` is undefined when nobody knows the session; when the store is away it is where the gateway last heard of it.
 * `common`: what it has for all tiers.
 */
export interface StickyAnswer {
  readonly away: boolean;
  readonly backend: string | undefined;
  readonly common: boolean;
}

/** The control thread answers much sooner, also when the store does not. */
const ANSWER_MAX_MS = 1000;

interface Pending {
  readonly dueMs: number;
  readonly onAnswer: (answer: StickyAnswer) => void;
}

/** Where a worker asks the control thread for sessions that are in the store. */
export class StoreAsks {
  readonly #post: (id: number, question: StickyQuestion) => void;
  readonly #now: () => number;
  /** Oldest first. */
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;

  constructor(post: (id: number, question: StickyQuestion) => void, now: () => number) {
    this.#post = post;
    this.#now = now;
  }

  /** `onAnswer` is called once, later. */
  ask(question: StickyQuestion, onAnswer: (answer: StickyAnswer) => void): void {
    const id = ++this.#lastId;
    this.#pending.set(id, { dueMs: this.#now() + ANSWER_MAX_MS, onAnswer });
    this.#post(id, question);
  }

  answered(id: number, answer: StickyAnswer): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.onAnswer(answer);
  }

  /** Gives up what was not answered in time. To be called a few times a second. */
  sweep(): void {
    const nowMs = this.#now();
    for (const [id, { dueMs }] of this.#pending) {
      if (dueMs > nowMs) return;
      this.answered(id, { away: true, backend: undefined, common: true });
    }
  }
}
