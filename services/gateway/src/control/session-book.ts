import type { Clock } from '@usher/ports';
import { keyOfSession } from '@usher/runtime';
import { type TextEntry, TextTable } from '../sticky/text-table.ts';

/** About 20 MB when it is full. */
const KNOWN_MAX = 2 ** 17;
/** Of what was learned since the gateways told each other last, so much is told; more is lost. */
const TOLD_MAX = 500;

/** Where a session is: its name and its backend. */
export type Entry = readonly [session: string, backend: string];

interface Noted extends TextEntry {
  backend: string;
  atMs: number;
}

/**
 * Where sessions in the store were when they were last heard of, for the time when the store is away: so that the workers
 * of a gateway send a client to the same backend, and other gateways too.
 */
export class SessionBook {
  readonly #clock: Clock;
  readonly #known = new TextTable<Noted>(KNOWN_MAX);
  #news = new Map<string, Entry[]>();
  #newsCount = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The session's backend, unless it was not heard of for `idleMs`, or was since `beforeMs`. */
  find(pool: string, session: string, idleMs: number, beforeMs = Infinity): string | undefined {
    const noted = this.#known.find(keyOfSession(session), pool, session, 0, session.length);
    if (noted === undefined || noted.atMs >= beforeMs) return undefined;
    return this.#clock.now() - noted.atMs < idleMs ? noted.backend : undefined;
  }

  /** Notes where a session is, as another gateway tells. */
  hear(pool: string, session: string, backend: string): boolean {
    const hash = keyOfSession(session);
    const atMs = this.#clock.now();
    const noted = this.#known.find(hash, pool, session, 0, session.length);
    if (noted === undefined) {
      this.#known.add(hash, { text: session, space: pool, backend, atMs });
      return true;
    }
    const changed = noted.backend !== backend;
    noted.backend = backend;
    noted.atMs = atMs;
    return changed;
  }

  /** Notes where a session is, for others to hear. */
  learn(pool: string, session: string, backend: string): void {
    if (!this.hear(pool, session, backend) || this.#newsCount >= TOLD_MAX) return;
    this.#newsCount += 1;
    const news = this.#news.get(pool);
    if (news === undefined) this.#news.set(pool, [[session, backend]]);
    else news.push([session, backend]);
  }

  /** What others have not heard, by pool. */
  takeNews(): ReadonlyMap<string, readonly Entry[]> {
    const news = this.#news;
    this.#news = new Map();
    this.#newsCount = 0;
    return news;
  }
}
