import { STICKY_PREFIX } from '@usher/events';
import type { MessageBus, Subscription } from '@usher/ports';
import type { Entry, SessionBook } from './session-book.ts';

/**
 * Gateways tell each other on the bus where sessions in the store are. Nothing relies on it while the store is there, so it
 * may be lost.
 */
export class SessionGossip {
  readonly #gateway: string;
  readonly #bus: MessageBus;
  readonly #book: SessionBook;
  #subscription: Subscription | undefined;

  constructor(gateway: string, bus: MessageBus, book: SessionBook) {
    this.#gateway = gateway;
    this.#bus = bus;
    this.#book = book;
  }

  start(): void {
    this.#subscription = this.#bus.subscribe(`${STICKY_PREFIX}.*`, (subject, payload) => {
      if (subject !== this.#subject) this.#hear(payload);
    });
  }

  stop(): void {
    this.#subscription?.stop();
  }

  /** Tells what was learned since the last call. */
  tell(): void {
    for (const [pool, sessions] of this.#book.takeNews())
      this.#bus.publish(this.#subject, JSON.stringify({ pool, sessions }));
  }

  get #subject(): string {
    return `${STICKY_PREFIX}.${this.#gateway}`;
  }

  #hear(payload: string): void {
    const told = read(payload);
    if (told === undefined) return;
    for (const [session, backend] of told.sessions) this.#book.hear(told.pool, session, backend);
  }
}

/** Undefined for what no gateway of this version would say. */
function read(payload: string): { readonly pool: string; readonly sessions: readonly Entry[] } | undefined {
  let told: unknown;
  try {
    told = JSON.parse(payload);
  } catch {
    return undefined;
  }
  if (typeof told !== 'object' || told === null || !('pool' in told) || !('sessions' in told))
    return undefined;
  const { pool, sessions } = told;
  if (typeof pool !== 'string' || !Array.isArray(sessions)) return undefined;
  return { pool, sessions: sessions.filter(isEntry) };
}

function isEntry(entry: unknown): entry is Entry {
  return Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'string';
}
