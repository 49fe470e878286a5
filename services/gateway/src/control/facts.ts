import { type EventDraft, envelop, eventSubject } from '@usher/events';
import type { ServiceContext } from '@usher/ports';

/** What facts are made of. */
export type FactsContext = Pick<ServiceContext, 'instance' | 'clock' | 'random' | 'outbox'>;

/** The facts that a gateway tells, in its own name and on its own subject. Never waits for the log. */
export class Facts {
  readonly #context: FactsContext;

  constructor(context: FactsContext) {
    this.#context = context;
  }

  /** False when the outbox is full: nothing was taken, and the caller keeps what it knows and tells it later. */
  tell(...drafts: EventDraft[]): boolean {
    const { instance, clock, random, outbox } = this.#context;
    const origin = { source: `usher/gateway/${instance}`, timeMs: clock.now(), actor: instance };
    return outbox.offer(
      eventSubject('gateway', instance),
      envelop(drafts, origin, () => random.uuid()),
    );
  }
}
