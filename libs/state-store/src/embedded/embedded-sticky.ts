import type { Clock, StickyAssignment, StickyAssignments } from '@usher/ports';

/** Beyond this the assignments that were not used for longest are forgotten, whatever clients send. */
const ASSIGNMENTS_MAX = 500_000;

interface Entry {
  readonly backend: string;
  readonly endsAtMs: number;
  readonly idleMs: number;
  expiresAtMs: number;
}

/** Sticky assignments of a single process. */
export class EmbeddedSticky implements StickyAssignments {
  readonly #clock: Clock;
  readonly #max: number;
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>();
  /** Goes through them from the first and is never begun anew: that would pass over all that was deleted before, each time. */
  #oldest = this.#entries.keys();

  constructor(clock: Clock, max: number = ASSIGNMENTS_MAX) {
    this.#clock = clock;
    this.#max = max;
  }

  async get(pool: string, id: string): Promise<string | undefined> {
    return this.#use(keyOf(pool, id));
  }

  async assign(assignment: StickyAssignment): Promise<string> {
    const key = keyOf(assignment.pool, assignment.id);
    return this.#use(key) ?? this.#put(key, assignment);
  }

  async move(assignment: StickyAssignment, from: string): Promise<string | undefined> {
    const key = keyOf(assignment.pool, assignment.id);
    const present = this.#live(key)?.backend;
    return present === from ? this.#put(key, assignment) : present;
  }

  async clear(pool: string, id: string, backend: string): Promise<boolean> {
    const key = keyOf(pool, id);
    return this.#live(key)?.backend === backend && this.#entries.delete(key);
  }

  dropExpired(): void {
    const nowMs = this.#clock.steady();
    for (const [key, { expiresAtMs }] of this.#entries) if (expiresAtMs <= nowMs) this.#entries.delete(key);
  }

  #live(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.expiresAtMs > this.#clock.steady() ? entry : undefined;
  }

  #use(key: string): string | undefined {
    const entry = this.#live(key);
    if (entry === undefined) return undefined;
    entry.expiresAtMs = Math.min(entry.endsAtMs, this.#clock.steady() + entry.idleMs);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.backend;
  }

  #put(key: string, { backend, ttlMs, idleMs }: StickyAssignment): string {
    const nowMs = this.#clock.steady();
    const endsAtMs = nowMs + ttlMs;
    this.#entries.delete(key);
    this.#entries.set(key, { backend, endsAtMs, idleMs, expiresAtMs: Math.min(endsAtMs, nowMs + idleMs) });
    if (this.#entries.size > this.#max) this.#dropOldest();
    return backend;
  }

  #dropOldest(): void {
    let next = this.#oldest.next();
    if (next.done === true) {
      this.#oldest = this.#entries.keys();
      next = this.#oldest.next();
    }
    if (next.done !== true) this.#entries.delete(next.value);
  }
}

/** Pools' names have no colon. */
function keyOf(pool: string, id: string): string {
  return `${pool}:${id}`;
}
