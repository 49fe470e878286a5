import type { BackendSlot } from '../routing-table.ts';
import type { Question } from '../sticky/sticky.ts';
import type { Guest, Wait } from '../waiting.ts';

/** Beyond the time in which the store is given up. */
const ANSWER_MAX_MS = 2000;

/** What a wait needs of the placing of its request. */
export interface SessionWaitHost {
  readonly now: () => number;
  /** Whom the strategy chooses, if anybody. */
  readonly choose: () => BackendSlot | undefined;
  /** Begins the request there, unless there is no room any more. */
  readonly begin: (slot: BackendSlot) => boolean;
  /** The request is placed by reservations, so it is only asked where its session is. */
  readonly reserves: boolean;
  /** How it waits once that is known. */
  readonly next: Wait;
}

/** One request's wait until the store has said where its session is, and then for whatever else it has to wait for. */
export class SessionWait implements Wait {
  readonly brief = false;
  readonly dueMs: number;
  readonly #question: Question;
  readonly #guest: Guest;
  readonly #host: SessionWaitHost;
  #end: (() => void) | undefined;
  #asking = true;

  constructor(question: Question, guest: Guest, host: SessionWaitHost) {
    this.#question = question;
    this.#guest = guest;
    this.#host = host;
    this.dueMs = Math.max(host.next.dueMs, host.now() + ANSWER_MAX_MS);
  }

  begin(): void {
    const { choose, reserves } = this.#host;
    this.#end = reserves
      ? this.#question.look(() => this.#goOn())
      : this.#question.settle(choose, (slot) => this.#onSettled(slot));
  }

  leave(): void {
    if (this.#asking) this.#end?.();
    else this.#host.next.leave();
  }

  expire(): void {
    if (this.#asking) {
      this.#end?.();
      this.#guest.onNoRoom('overloaded', 'the sessions of the pool were not told in time');
    } else {
      this.#host.next.expire();
    }
  }

  #onSettled(slot: BackendSlot | undefined): void {
    if (slot === undefined || !this.#host.begin(slot)) {
      this.#goOn();
      return;
    }
    this.#asking = false;
    this.#guest.onRoom(slot);
  }

  #goOn(): void {
    this.#asking = false;
    this.#host.next.begin();
  }
}
