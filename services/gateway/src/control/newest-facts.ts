import type { EventDraft } from '@usher/events';
import type { Facts } from './facts.ts';

/** Tells the log facts that are about something; of those that could not be told at once, only the newest about each. */
export class NewestFacts {
  readonly #facts: Pick<Facts, 'tell'>;
  readonly #untold = new Map<string, EventDraft>();

  constructor(facts: Pick<Facts, 'tell'>) {
    this.#facts = facts;
  }

  /** `about`: what a later fact replaces it for. */
  tell(about: string, draft: EventDraft): void {
    if (this.#facts.tell(draft)) this.#untold.delete(about);
    else this.#untold.set(about, draft);
  }

  /** Tries again with what could not be told. */
  retell(): void {
    for (const [about, draft] of this.#untold) this.tell(about, draft);
  }
}
