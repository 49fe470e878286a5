import { NO_RESOURCES, plusResources, type Resources, type StoreStep } from '@usher/domain';
import type { Session } from '@usher/ports';

/** What this gateway has reserved. */
export interface Held {
  readonly allocation: string;
  readonly backend: string;
  readonly tier: string;
  readonly resources: Resources;
  /** What reservations were allowed to fill of the backend then; undefined when another gateway reserved it. */
  readonly capacity: Resources | undefined;
  readonly session: Session | undefined;
  /** Undefined while the store does not know of it. */
  at: StoreStep | undefined;
  /** How many requests it is for at present, by worker. */
  readonly uses: Map<number, number>;
  /** When the last request began or ended. */
  usedMs: number;
  /** When its time in the store last began. */
  extendedMs: number;
}

/** All that a gateway holds of one pool, with what it is used for. */
export class HeldAllocations {
  readonly #held = new Map<string, Held>();
  readonly #bySession = new Map<string, string>();
  readonly #sums = new Map<string, Resources>();

  get size(): number {
    return this.#held.size;
  }

  all(): IterableIterator<Held> {
    return this.#held.values();
  }

  get(allocation: string): Held | undefined {
    return this.#held.get(allocation);
  }

  ofSession({ id, tier }: Session): Held | undefined {
    return this.#held.get(this.#bySession.get(sessionKey(id, tier)) ?? '');
  }

  /** Sum of what is held of a backend. */
  reservedOn(backend: string): Resources {
    return this.#sums.get(backend) ?? NO_RESOURCES;
  }

  add(held: Held): void {
    this.remove(held.allocation);
    this.#held.set(held.allocation, held);
    if (held.session !== undefined)
      this.#bySession.set(sessionKey(held.session.id, held.session.tier), held.allocation);
    this.#sums.set(held.backend, plusResources(this.reservedOn(held.backend), held.resources, 1));
  }

  remove(allocation: string): Held | undefined {
    const held = this.#held.get(allocation);
    if (held === undefined) return undefined;
    this.#held.delete(allocation);
    const sum = plusResources(this.reservedOn(held.backend), held.resources, -1);
    if (this.#held.size === 0) this.#sums.clear();
    else this.#sums.set(held.backend, sum);
    if (held.session !== undefined) {
      const key = sessionKey(held.session.id, held.session.tier);
      if (this.#bySession.get(key) === allocation) this.#bySession.delete(key);
    }
    return held;
  }
}

/** A request of a worker begins to use it. */
export function beginUse(held: Held, worker: number, nowMs: number): void {
  held.uses.set(worker, (held.uses.get(worker) ?? 0) + 1);
  held.usedMs = nowMs;
}

/** A request of a worker does not use it any more; true when it was the last. */
export function endUse(held: Held, worker: number, nowMs: number): boolean {
  const before = held.uses.get(worker);
  if (before === undefined) return false;
  if (before > 1) held.uses.set(worker, before - 1);
  else held.uses.delete(worker);
  held.usedMs = nowMs;
  return held.uses.size === 0;
}

function sessionKey(id: string, tier: string): string {
  return `${tier} ${id}`;
}
