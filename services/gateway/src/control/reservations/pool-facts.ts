import type { StoreStep } from '@usher/domain';
import type { EventDraft } from '@usher/events';
import type { GivenBack } from '@usher/ports';
import type { Facts } from '../facts.ts';
import type { Held } from './held-allocations.ts';

type AllocationDraft = Extract<EventDraft, { readonly type: `allocation.${string}` }>;

/** Facts in one record of the log. */
const TOLD_TOGETHER_MAX = 50;
/** What the log cannot take is kept up to this many allocations: more than are usually held, and then the oldest is lost. */
const UNTOLD_MAX = 20_000;

export interface ToldOf {
  readonly owner: string;
  readonly expiresAtMs: number;
  /** It was told before, by this gateway or another one. */
  readonly again: boolean;
  /** The store had lost it, or had never known of it. */
  readonly restored: boolean;
}

interface Untold {
  readonly draft: AllocationDraft;
  /** The log knows nothing of this allocation yet. */
  readonly first: boolean;
}

/**
 * Tells the log what is reserved and given back. Nothing waits for the log: while it takes nothing, one fact is kept for
 * each allocation, and of those that began and ended meanwhile none.
 */
export class PoolFacts {
  readonly #pool: string;
  readonly #facts: Facts;
  readonly #untold = new Map<string, Untold>();
  #lost = 0;

  constructor(pool: string, facts: Facts) {
    this.#pool = pool;
    this.#facts = facts;
  }

  /** Facts that the log did not take yet. */
  get untold(): number {
    return this.#untold.size;
  }

  /** Facts that the log will never hear. */
  get lost(): number {
    return this.#lost;
  }

  reserved(held: Held, { owner, expiresAtMs, again, restored }: ToldOf): void {
    const { allocation, backend, resources, tier, capacity } = held;
    const data = {
      backend,
      allocation,
      owner,
      resources,
      expiresAtMs,
      tier,
      ...(capacity === undefined ? {} : { capacity }),
      ...(restored ? { restored: true as const } : {}),
      ...this.#at(held.at),
    };
    this.#tell([{ type: 'allocation.reserved', subject: backend, data }], !again);
  }

  released(ended: readonly Ended[]): void {
    this.#tell(
      ended.map(({ allocation, backend, at, cause }) => ({
        type: 'allocation.released',
        subject: backend,
        data: { backend, allocation, cause, ...this.#at(at) },
      })),
    );
  }

  expired(given: readonly GivenBack[]): void {
    this.#tell(
      given.map(({ allocation, backend, at }) => ({
        type: 'allocation.expired',
        subject: backend,
        data: { backend, allocation, ...this.#at(at) },
      })),
    );
  }

  /** Tries again with what could not be told. */
  retell(): void {
    while (this.#untold.size > 0) {
      const next = [...this.#untold].slice(0, TOLD_TOGETHER_MAX);
      if (!this.#facts.tell(...next.map(([, { draft }]) => draft))) return;
      for (const [allocation] of next) this.#untold.delete(allocation);
    }
  }

  #tell(drafts: readonly AllocationDraft[], first = false): void {
    for (let from = 0; from < drafts.length; from += TOLD_TOGETHER_MAX) {
      const together = drafts.slice(from, from + TOLD_TOGETHER_MAX);
      if (this.#untold.size === 0 && this.#facts.tell(...together)) continue;
      for (const draft of together) this.#keep(draft, first);
    }
  }

  #keep(draft: AllocationDraft, first: boolean): void {
    const { allocation } = draft.data;
    const before = this.#untold.get(allocation);
    // What comes last stands last.
    this.#untold.delete(allocation);
    if (before?.first === true && draft.type !== 'allocation.reserved') {
      this.#lost += 2;
      return;
    }
    this.#untold.set(allocation, { draft, first: first || before?.first === true });
    if (this.#untold.size <= UNTOLD_MAX) return;
    for (const oldest of this.#untold.keys()) {
      this.#untold.delete(oldest);
      this.#lost += 1;
      break;
    }
  }

  #at(at: StoreStep | undefined) {
    return at === undefined ? {} : { at: { pool: this.#pool, ...at } };
  }
}

export interface Ended {
  readonly allocation: string;
  readonly backend: string;
  readonly at?: StoreStep | undefined;
  /** A few words for people. */
  readonly cause: string;
}
