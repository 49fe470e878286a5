import { envelop, eventSubject, type UsherEvent } from '@usher/events';
import type { ServiceContext } from '@usher/ports';
import { healthSource } from './announcer.ts';

/**
 * Tells the scheduler when a backend whose breaker is open answers its probes again: then there is no reason to wait for
 * the breaker's own time. Said once for each opening, since a backend may answer probes and still fail requests.
 */
export class RecoveryReporter {
  readonly #context: ServiceContext;
  /** Successes in a row since the breaker opened, for those backends about which nothing was said yet. */
  readonly #successes = new Map<string, number>();

  constructor(context: ServiceContext) {
    this.#context = context;
    for (const [id, { breaker }] of context.fleet.state.backends)
      if (breaker === 'open') this.#successes.set(id, 0);
  }

  follow({ type, data }: UsherEvent): void {
    if (type === 'breaker.opened') this.#successes.set(data.backend, 0);
    else if (type === 'breaker.half_opened' || type === 'breaker.closed' || type === 'backend.removed')
      this.#successes.delete(data.backend);
  }

  /** Takes the outcome of a probe; `rise` successes in a row are enough. */
  note(backend: string, succeeded: boolean, rise: number): void {
    const before = this.#successes.get(backend);
    if (before === undefined) return;
    const successes = succeeded ? before + 1 : 0;
    this.#successes.set(backend, successes);
    if (successes >= rise && this.#offer(backend)) this.#successes.delete(backend);
  }

  /** False when the outbox is full: the next probe tries again. */
  #offer(backend: string): boolean {
    const { random, outbox, clock } = this.#context;
    const draft = { type: 'backend.probes_passed', subject: backend, data: { backend } } as const;
    const context = { source: healthSource(this.#context), timeMs: clock.now(), actor: 'health' };
    // A subject apart from the backend's health: facts in between must not make its decisions conflict.
    const subject = eventSubject('health', `${backend}.probes`);
    return outbox.offer(
      subject,
      envelop([draft], context, () => random.uuid()),
    );
  }
}
