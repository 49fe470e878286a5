import type { UsherEvent } from '@usher/events';
import { LogUnavailableError, type Outbox } from '@usher/ports';

/** Events that wait for an heir, at most. */
const PENDING_MAX = 10_000;

/** Gives facts to another process, which writes them to the log. Resolves when it has them. */
export type Give = (subject: string, events: readonly UsherEvent[]) => Promise<void>;

/**
 * The way in for facts of a process whose log may go to another one while it still has something to tell: first to its own
 * outbox, then to its heir.
 */
export class HeirOutbox implements Outbox {
  #own: Outbox | undefined;
  #give: Give | undefined;
  #waiting: { readonly subject: string; readonly events: readonly UsherEvent[] }[] = [];
  #given: Promise<unknown> = Promise.resolve();
  #pending = 0;

  constructor(own: Outbox) {
    this.#own = own;
  }

  get pending(): number {
    return this.#own?.pending ?? this.#pending;
  }

  /** Our own outbox gets nothing more; what is offered from now on waits for the heir. */
  disown(): void {
    this.#own = undefined;
  }

  /** The heir is ready. */
  endow(give: Give): void {
    this.#give = give;
    for (const { subject, events } of this.#waiting.splice(0)) this.#pass(give, subject, events);
  }

  offer(subject: string, events: readonly UsherEvent[]): boolean {
    if (this.#own !== undefined) return this.#own.offer(subject, events);
    if (this.#pending + events.length > PENDING_MAX) return false;
    this.#pending += events.length;
    if (this.#give === undefined) this.#waiting.push({ subject, events });
    else this.#pass(this.#give, subject, events);
    return true;
  }

  async flush(timeoutMs: number): Promise<void> {
    if (this.#own !== undefined) {
      await this.#own.flush(timeoutMs);
      return;
    }
    await this.#given;
    if (this.#pending > 0) throw new LogUnavailableError(`${this.#pending} events have no heir`);
  }

  #pass(give: Give, subject: string, events: readonly UsherEvent[]): void {
    const giving = give(subject, events).then(
      () => (this.#pending -= events.length),
      () => {},
    );
    this.#given = Promise.all([this.#given, giving]);
  }
}
