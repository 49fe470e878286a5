import { CLEARED_SESSIONS_MAX } from '@usher/domain';

/** Until when, in seconds since the epoch, the sessions of a pool must have begun to be over. */
export class ClearedBefore {
  /** For all of them; negative = never. */
  allS = -1;
  readonly #one = new Map<string, number>();

  /** Without a session it is about all. */
  take(session: string | undefined, atMs: number): void {
    const atS = Math.floor(atMs / 1000);
    if (session === undefined) {
      this.allS = atS;
      this.#one.clear();
      return;
    }
    this.#one.delete(session);
    this.#one.set(session, atS);
    // There are no more of which anything is left.
    if (this.#one.size > CLEARED_SESSIONS_MAX) this.#one.delete(this.#one.keys().next().value ?? '');
  }

  secondsOf(session: string): number {
    return this.#one.get(session) ?? this.allS;
  }
}
