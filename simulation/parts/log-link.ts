import type { Clock } from '@usher/ports';
import { LogUnavailableError } from '@usher/ports';
import { ConnectionStatus } from '../../libs/event-log/src/connection-status.ts';
import { type Network, NoAnswerError, type Node } from '../world/network.ts';
import type { LogServer } from './log-server.ts';

/** As the driver for NATS has it. */
const REQUEST_TIMEOUT_MS = 3_000;
const RETRY_MS = 250;
/** How often the connection is looked at, and how long that may take. */
const LOOK_EVERY_MS = 1_000;
const LOOK_TIMEOUT_MS = 1_500;

/** A process's connection to the server of log and bus: found broken after a while, and made again. */
export class LogLink {
  readonly node: Node;
  readonly status: ConnectionStatus;
  readonly #clock: Clock;
  readonly #network: Network;
  readonly #server: LogServer;
  readonly #waiting = new Set<(error: Error) => void>();
  readonly #looks: (() => void)[] = [];
  /** The start of the server that this is a connection to; 0 = there is no connection. */
  #incarnation = 0;
  #closed = false;

  constructor(node: Node, clock: Clock, network: Network, server: LogServer) {
    this.node = node;
    this.#clock = clock;
    this.#network = network;
    this.#server = server;
    this.status = new ConnectionStatus(clock, false);
  }

  get connected(): boolean {
    return this.#incarnation !== 0;
  }

  /** Whether the server knows of this connection. */
  get attached(): boolean {
    return this.node.scope.alive && !this.#closed && this.#incarnation === this.#server.incarnation;
  }

  /** Resolves after the first attempt, successful or not. */
  async start(): Promise<void> {
    await this.#look();
  }

  /** Calls back whenever the connection was found to hold, and at once when it does. */
  onLook(look: () => void): void {
    this.#looks.push(look);
    if (this.connected) look();
  }

  /** Asks the server. Throws LogUnavailableError when there is no connection, or it breaks before the answer. */
  call<T>(what: string, execute: (server: LogServer) => Promise<T>, twice = false): Promise<T> {
    if (!this.connected) {
      const why = this.#closed ? 'the event log is closed' : 'NATS is not connected';
      return Promise.reject(new LogUnavailableError(why));
    }
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.add(reject);
    this.#ask(what, REQUEST_TIMEOUT_MS, execute, twice)
      .then(resolve, (error: unknown) => reject(asUnavailable(error)))
      .finally(() => this.#waiting.delete(reject));
    return promise;
  }

  close(): void {
    this.#closed = true;
    this.#lose('the event log is closed');
  }

  #ask<T>(what: string, timeoutMs: number, execute: (server: LogServer) => Promise<T>, twice: boolean) {
    const server = this.#server;
    return this.#network.call({
      from: this.node,
      to: server,
      what,
      timeoutMs,
      twice,
      execute: () => execute(server),
    });
  }

  async #look(): Promise<void> {
    try {
      const incarnation = await this.#ask('ping', LOOK_TIMEOUT_MS, async (to) => to.incarnation, false);
      if (this.#closed) return;
      if (this.connected && incarnation !== this.#incarnation) this.#lose('the connection to NATS was lost');
      this.#incarnation = incarnation;
      this.status.set(true);
      for (const look of this.#looks) look();
    } catch {
      this.#lose('the connection to NATS was lost');
    }
    if (!this.#closed) this.#clock.after(this.connected ? LOOK_EVERY_MS : RETRY_MS, () => void this.#look());
  }

  #lose(message: string): void {
    this.#incarnation = 0;
    this.status.set(false);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const reject of waiting) reject(new LogUnavailableError(message));
  }
}

function asUnavailable(error: unknown): Error {
  if (error instanceof NoAnswerError) return new LogUnavailableError(`NATS: ${error.message}`);
  return error as Error;
}
