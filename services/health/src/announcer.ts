import type { BackendActors } from '@usher/actors';
import { type EventDraft, envelop, eventSubject, type UsherEvent } from '@usher/events';
import { ConflictError, LogUnavailableError, type ServiceContext } from '@usher/ports';

/** Source of the events that this process's health service writes. */
export function healthSource({ instance }: Pick<ServiceContext, 'instance'>): string {
  return `usher/health/${instance}`;
}

/** What probes found about a backend, as its actor is told. */
export interface Finding {
  readonly type: 'probes.succeeded' | 'probes.failed';
  readonly cause: string;
}

/** Somebody else wrote in between this often: leave it to the next probe. */
const ATTEMPTS_MAX = 5;

/**
 * Writes changes of health to the log, each on condition that nobody wrote about this backend since it was decided.
 * Nothing is queued: what is to be written is worked out anew from the counts and the fold each time it is tried, so
 * after an outage the last state is written and not the way to it.
 */
export class Announcer {
  readonly #context: ServiceContext;
  readonly #actors: BackendActors;
  readonly #find: (backend: string) => Finding | undefined;
  readonly #busy = new Map<string, Promise<void>>();
  readonly #again = new Set<string>();
  /** Changes that the log did not confirm. One that was sent is sent again under the same id: it may have been stored. */
  readonly #unconfirmed = new Map<string, UsherEvent | undefined>();

  /** `find` answers what the probes say that the log does not, if anything. */
  constructor(
    context: ServiceContext,
    actors: BackendActors,
    find: (backend: string) => Finding | undefined,
  ) {
    this.#context = context;
    this.#actors = actors;
    this.#find = find;
    context.events.onStatus(({ connected }) => {
      if (connected) for (const backend of this.#unconfirmed.keys()) this.consider(backend);
    });
  }

  /** How many backends' changes the log did not take. */
  get unconfirmed(): number {
    return this.#unconfirmed.size;
  }

  /** Writes what there is to write about a backend. One attempt at a time; asking during one repeats it. */
  consider(backend: string): void {
    if (this.#busy.has(backend)) {
      this.#again.add(backend);
      return;
    }
    const attempt = this.#announce(backend).finally(() => {
      this.#busy.delete(backend);
      if (this.#again.delete(backend)) this.consider(backend);
    });
    this.#busy.set(backend, attempt);
  }

  /** Resolves when no attempt is under way. */
  async idle(): Promise<void> {
    while (this.#busy.size > 0) await Promise.all(this.#busy.values());
  }

  async #announce(backend: string): Promise<void> {
    const subject = eventSubject('health', backend);
    try {
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        if (this.#decide(backend) === undefined) break;
        const expect = await this.#context.events.lastOf(subject);
        // Something was written that is not folded yet. When it is, this backend is considered again.
        if (expect > this.#context.fleet.position) return;
        const draft = this.#decide(backend);
        if (draft === undefined) break;
        if (await this.#append(backend, subject, draft, expect)) break;
      }
      this.#unconfirmed.delete(backend);
    } catch (error) {
      if (!(error instanceof LogUnavailableError)) {
        this.#context.log.error('a change of health could not be written', { backend, error });
      }
      if (!this.#unconfirmed.has(backend)) this.#unconfirmed.set(backend, undefined);
    }
  }

  /** The change to write, by the backend's actor as the log has it now. */
  #decide(backend: string): EventDraft | undefined {
    const finding = this.#find(backend);
    return finding === undefined ? undefined : this.#actors.decide(backend, finding)[0];
  }

  /** False when somebody else wrote first. */
  async #append(backend: string, subject: string, draft: EventDraft, expect: number): Promise<boolean> {
    const { clock, random, events, log } = this.#context;
    const source = healthSource(this.#context);
    const known = this.#unconfirmed.get(backend);
    const event =
      known?.type === draft.type
        ? known
        : envelop([draft], { source, timeMs: clock.now(), actor: 'health' }, () => random.uuid())[0]!;
    this.#unconfirmed.set(backend, event);
    try {
      await events.append({ subject, events: [event], expect });
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      this.#unconfirmed.delete(backend);
      return false;
    }
    log.info(
      event.type === 'backend.became_healthy' ? 'backend became healthy' : 'backend became unhealthy',
      {
        backend,
        ...('cause' in draft.data ? { cause: draft.data.cause } : {}),
      },
    );
    return true;
  }
}
