import type { Outbox } from '@usher/ports';
import { InheritedSockets, type ListeningSocket } from '@usher/runtime';
import { type FromSuccessor, SUCCESSOR_VARIABLE, type ToSuccessor } from './handover.ts';

/** Added to the name of a gateway that takes over from one of that name: while both run they are two gateways. */
const ALTERNATE = '-alternate';

/** The process that this one takes over from, seen from this one. */
export class Predecessor {
  readonly sockets: InheritedSockets;
  readonly #gateway: string;
  readonly #logFree = Promise.withResolvers<void>();
  /** What it told before there was an outbox. */
  readonly #facts: Extract<ToSuccessor, { kind: 'facts' }>[] = [];
  #outbox: Outbox | undefined;

  private constructor(sockets: readonly ListeningSocket[], gateway: string) {
    this.sockets = new InheritedSockets(sockets);
    this.#gateway = gateway;
    process.on('message', (message) => this.#receive(message as ToSuccessor));
    process.once('disconnect', () =>
      this.#logFree.reject(new Error('the process to take over from is gone')),
    );
    // Whoever waits for it hears of that.
    this.#logFree.promise.catch(() => {});
  }

  /** Resolves when it has told what it leaves; with undefined when there is none. Rejects when it is gone. */
  static async meet(env: Readonly<Record<string, string | undefined>>): Promise<Predecessor | undefined> {
    if (env[SUCCESSOR_VARIABLE] === undefined || !process.connected) return undefined;
    const { promise, resolve, reject } = Promise.withResolvers<Predecessor>();
    const gone = (): void => reject(new Error('there is no process to take over from'));
    process.once('disconnect', gone);
    process.once('message', (first) => {
      const message = first as ToSuccessor;
      if (message.kind === 'inherit') resolve(new Predecessor(message.sockets, message.gateway));
    });
    return await promise;
  }

  /** What a gateway is called here that goes by `name` otherwise. */
  gatewayName(name: string): string {
    return this.#gateway === name ? `${name}${ALTERNATE}` : name;
  }

  /** Resolves when the event log can be opened here. */
  async takeLog(): Promise<void> {
    tell({ kind: 'log_needed' });
    await this.#logFree.promise;
  }

  /** Has it give up its part; from now on its facts go the way of ours. */
  relieve(outbox: Outbox): void {
    this.#outbox = outbox;
    for (const { subject, events } of this.#facts.splice(0)) outbox.offer(subject, events);
    tell({ kind: 'ready' });
    // What it may still tell is no reason to go on.
    process.channel?.unref();
  }

  #receive(message: ToSuccessor): void {
    if (message.kind === 'log_free') this.#logFree.resolve();
    else if (message.kind === 'facts') {
      if (this.#outbox === undefined) this.#facts.push(message);
      else this.#outbox.offer(message.subject, message.events);
    }
  }
}

function tell(message: FromSuccessor): void {
  // When it is gone there is nobody to tell.
  process.send?.(message, undefined, undefined, () => {});
}
