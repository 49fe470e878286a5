/** A worker's question about one client. Without an id nobody waits for the answer. */
export interface RateAsk {
  readonly id?: number | undefined;
  readonly rule: number;
  readonly key: string;
}

/** `away`: the store does not answer, so each gateway counts for itself. */
export interface RateAnswer {
  readonly id: number;
  readonly outcome: 'allowed' | 'limited' | 'away';
  readonly left: number;
  readonly afterMs: number;
}

/** The control thread answers much sooner, also when the store does not. */
export const RATE_ANSWER_MAX_MS = 250;
/** Requests that may wait for an answer at a time; further ones are counted here. */
const WAITING_MAX = 10_000;

interface Pending {
  readonly dueMs: number;
  readonly onAnswer: (answer: Omit<RateAnswer, 'id'>) => void;
}

const AWAY = { outcome: 'away', left: 0, afterMs: 0 } as const;

/** Where a worker asks the control thread about clients whom the fleet counts. What is asked in one turn of the event loop goes in one message. */
export class RateAsks {
  readonly #post: (asks: readonly RateAsk[]) => void;
  readonly #now: () => number;
  /** Oldest first. */
  readonly #pending = new Map<number, Pending>();
  #asks: RateAsk[] = [];
  #lastId = 0;

  constructor(post: (asks: readonly RateAsk[]) => void, now: () => number) {
    this.#post = post;
    this.#now = now;
  }

  get full(): boolean {
    return this.#pending.size >= WAITING_MAX;
  }

  /** `onAnswer` is called once, later, unless `forget` is called with what this answers. */
  ask(rule: number, key: string, onAnswer: Pending['onAnswer']): number {
    const id = ++this.#lastId;
    this.#pending.set(id, { dueMs: this.#now() + RATE_ANSWER_MAX_MS, onAnswer });
    this.#add({ id, rule, key });
    return id;
  }

  /** For requests that are still to come. */
  askAhead(rule: number, key: string): void {
    this.#add({ rule, key });
  }

  forget(id: number): void {
    this.#pending.delete(id);
  }

  answered({ id, ...answer }: RateAnswer): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.onAnswer(answer);
  }

  /** Gives up what was not answered in time. To be called a few times a second. */
  sweep(): void {
    const nowMs = this.#now();
    for (const [id, { dueMs }] of this.#pending) {
      if (dueMs > nowMs) return;
      this.answered({ id, ...AWAY });
    }
  }

  #add(ask: RateAsk): void {
    if (this.#asks.length === 0) setImmediate(this.#flush);
    this.#asks.push(ask);
  }

  readonly #flush = (): void => {
    const asks = this.#asks;
    this.#asks = [];
    this.#post(asks);
  };
}
