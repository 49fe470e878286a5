import { UsherError } from '@usher/domain';
import type { Clock, Log, MessageBus, Subscription } from '@usher/ports';
import { subjectMatches } from '../subject-match.ts';

interface Server {
  readonly pattern: string;
  readonly handler: (subject: string, payload: string) => Promise<string>;
}

interface Listener {
  readonly pattern: string;
  readonly handler: (subject: string, payload: string) => void;
}

/** Messages within one process; nobody looks around there, so offers are not told. Handlers run in a later turn, as they would with a network between. */
export class EmbeddedBus implements MessageBus {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #servers = new Set<Server>();
  readonly #listeners = new Set<Listener>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  async request(subject: string, payload: string, timeoutMs: number): Promise<string> {
    await Promise.resolve();
    const server = this.#serverOf(subject);
    if (server === undefined) throw new UsherError('no_leader', `nobody serves ${subject}`);
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const timer = this.#clock.after(timeoutMs, () =>
      reject(new UsherError('no_leader', `no answer to ${subject} within ${timeoutMs} ms`)),
    );
    server.handler(subject, payload).then(resolve, (error: unknown) => {
      // As over a network: who asked learns nothing of the failure but that there is no answer.
      this.#log.error('a request could not be served', { subject, error });
    });
    return promise.finally(() => timer.cancel());
  }

  serve(subject: string, handler: Server['handler']): Subscription {
    const server = { pattern: subject, handler };
    this.#servers.add(server);
    return { stop: () => void this.#servers.delete(server) };
  }

  publish(subject: string, payload: string): void {
    queueMicrotask(() => {
      for (const listener of this.#listeners) {
        if (subjectMatches(listener.pattern, subject)) this.#deliver(listener, subject, payload);
      }
    });
  }

  subscribe(subject: string, handler: Listener['handler']): Subscription {
    const listener = { pattern: subject, handler };
    this.#listeners.add(listener);
    return { stop: () => void this.#listeners.delete(listener) };
  }

  #serverOf(subject: string): Server | undefined {
    for (const server of this.#servers) {
      if (subjectMatches(server.pattern, subject)) return server;
    }
    return undefined;
  }

  #deliver(listener: Listener, subject: string, payload: string): void {
    try {
      listener.handler(subject, payload);
    } catch (error) {
      this.#log.error('a message could not be handled', { subject, error });
    }
  }
}
