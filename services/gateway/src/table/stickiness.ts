import type { PoolTable } from '../routing-table.ts';
import { CookieSessions, type CookieTools } from '../sticky/cookie-sessions.ts';
import { SharedSessions, type SharedTools } from '../sticky/shared-sessions.ts';
import type { StickyCounts } from '../sticky/sticky.ts';

export type StickyTools = CookieTools & SharedTools;

/** Gives pools what keeps the requests of a client together, as their settings say. */
export class Stickiness {
  readonly #tools: StickyTools;
  /** Which settings each pool has, so that a change of others forgets no session. */
  readonly #equipped = new Map<PoolTable, string>();
  readonly #secrets = new Map<string, readonly string[]>();

  constructor(tools: StickyTools) {
    this.#tools = tools;
  }

  /** Takes up a pool's settings. */
  equip(pool: PoolTable): void {
    const { sticky } = pool.settings;
    const settings = JSON.stringify(sticky);
    if (this.#equipped.get(pool) === settings) return;
    if (sticky === undefined) {
      this.#equipped.delete(pool);
      pool.sticky = undefined;
      return;
    }
    this.#equipped.set(pool, settings);
    pool.sticky =
      sticky.by === 'cookie'
        ? new CookieSessions(pool, sticky, this.#secrets.get(pool.id) ?? [], this.#tools)
        : new SharedSessions(pool, sticky, this.#tools);
  }

  /** What a pool's cookies are made with. It may come before the pool. */
  setSecrets(pool: string, secrets: readonly string[]): void {
    this.#secrets.set(pool, secrets);
    for (const { id, sticky } of this.#equipped.keys()) {
      if (id === pool && sticky instanceof CookieSessions) sticky.setSecrets(secrets);
    }
  }

  counts(): { readonly pool: string; readonly counts: StickyCounts }[] {
    return [...this.#equipped.keys()].flatMap(({ id, sticky }) =>
      sticky === undefined ? [] : [{ pool: id, counts: { ...sticky.counts } }],
    );
  }
}
