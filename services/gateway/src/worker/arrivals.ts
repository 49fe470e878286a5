import type { Socket } from 'node:net';

/** How long connections that were accepted before a drain may still take until a lane has them. */
const SETTLE_MAX_MS = 1_000;

export interface ArrivalsOptions {
  now(): number;
  /** How long each step before the first request may take. */
  limitMs(): number;
  /** How many connections may be on their way at a time. */
  max(): number;
}

interface Arrival {
  readonly dueMs: number;
  onLate(): void;
}

/**
 * The connections of one worker that no lane has yet: who they are for is still to be said, or the handshake is under way.
 * Nobody else counts them or loses patience with them.
 */
export class Arrivals {
  readonly #options: ArrivalsOptions;
  /** Oldest first. */
  readonly #pending = new Map<Socket, Arrival>();
  #onSettled: (() => void) | undefined;

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** No further connection may begin. */
  get full(): boolean {
    return this.size >= this.#options.max();
  }

  /** Counts a connection in, until `end`; `onLate` is called when it takes too long. */
  begin(socket: Socket, onLate: () => void): void {
    const dueMs = this.#options.now() + this.#options.limitMs();
    this.#pending.set(socket, { dueMs, onLate });
  }

  /** False: it had ended already. */
  end(socket: Socket): boolean {
    const ended = this.#pending.delete(socket);
    // At the end of one step the connection may begin another.
    if (this.#onSettled !== undefined) queueMicrotask(() => this.#pending.size === 0 && this.#onSettled?.());
    return ended;
  }

  /** Gives up those that take too long. */
  sweep(): void {
    const nowMs = this.#options.now();
    for (const arrival of this.#pending.values()) {
      if (arrival.dueMs > nowMs) return;
      arrival.onLate();
    }
  }

  /** Resolves when no connection is on its way; after a second at most, those that are left are broken off. */
  async settle(deadlineMs: number): Promise<void> {
    if (this.#pending.size === 0) return;
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, Math.min(deadlineMs, SETTLE_MAX_MS));
      this.#onSettled = () => {
        clearTimeout(late);
        resolve();
      };
    });
    for (const socket of this.#pending.keys()) socket.destroy();
  }
}
