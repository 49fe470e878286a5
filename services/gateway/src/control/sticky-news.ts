import type { StickyMoveReason } from '@usher/domain';
import type { EventDraft } from '@usher/events';
import type { Facts } from './facts.ts';

/** Sessions that one event names, at most. */
const NAMED_MAX = 100;

export interface StickyMove {
  readonly pool: string;
  readonly session: string;
  readonly from: string;
  readonly to: string;
  readonly reason: StickyMoveReason;
}

interface Group {
  readonly pool: string;
  readonly from: string;
  readonly reason: StickyMoveReason;
  count: number;
  sessions: { session: string; to: string }[];
}

/**
 * Tells the log which sessions were moved: what happens in a moment is one event for each pool, backend and reason, however
 * many clients there are. Other gateways that do not hear of a session find out when they ask the store again.
 */
export class StickyNews {
  readonly #gateway: string;
  readonly #facts: Facts;
  readonly #groups = new Map<string, Group>();
  /** Since the start. */
  readonly #totals = new Map<string, { pool: string; reason: StickyMoveReason; count: number }>();

  constructor(gateway: string, facts: Facts) {
    this.#gateway = gateway;
    this.#facts = facts;
  }

  add({ pool, session, from, to, reason }: StickyMove): void {
    const key = `${pool} ${from} ${reason}`;
    let group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, (group = { pool, from, reason, count: 0, sessions: [] }));
    group.count += 1;
    if (group.sessions.length < NAMED_MAX) group.sessions.push({ session, to });
    const total = this.#totals.get(`${pool} ${reason}`);
    if (total === undefined) this.#totals.set(`${pool} ${reason}`, { pool, reason, count: 1 });
    else total.count += 1;
  }

  /** Tells what was added since the last call. What the outbox does not take is told with what comes next. */
  tell(): void {
    for (const [key, group] of this.#groups) {
      const data = { gateway: this.#gateway, ...group };
      const draft: EventDraft = { type: 'sticky.moved', subject: group.pool, data };
      if (!this.#facts.tell(draft)) return;
      this.#groups.delete(key);
    }
  }

  totals(): Iterable<{ readonly pool: string; readonly reason: StickyMoveReason; readonly count: number }> {
    return this.#totals.values();
  }
}
