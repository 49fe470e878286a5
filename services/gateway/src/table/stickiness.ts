import type { PoolTable, TableDelta } from '../routing-table.ts';
import { ClearedBefore } from '../sticky/cleared-before.ts';
import { CookieSessions } from '../sticky/cookie-sessions.ts';
import { SharedSessions, type SharedTools } from '../sticky/shared-sessions.ts';
import type { StickyCounts } from '../sticky/sticky.ts';

/** Gives pools what keeps the requests of a client together, as their settings say. */
export class Stickiness {
  readonly #tools: SharedTools;
  /** Which settings each pool has, so that a change of others forgets no session. */
  readonly #equipped = new Map<PoolTable, string>();
  readonly #secrets = new Map<string, readonly string[]>();
  readonly #cleared = new Map<string, ClearedBefore>();

  constructor(tools: SharedTools) {
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
        ? new CookieSessions(
            pool,
            sticky,
            this.#secrets.get(pool.id) ?? [],
            this.#tools,
            this.#clearedOf(pool.id),
          )
        : new SharedSessions(pool, sticky, this.#tools);
  }

  /** Takes up what a pool's cookies are made with, which may come before the pool, where a session is, or that some are over. */
  take(delta: Extract<TableDelta, { readonly kind: `sticky_${string}` }>): void {
    if (delta.kind === 'sticky_secrets') this.#secrets.set(delta.pool, delta.secrets);
    if (delta.kind === 'sticky_cleared') this.#clearedOf(delta.pool).take(delta.session, delta.atMs);
    for (const { id, sticky } of this.#equipped.keys()) {
      if (id !== delta.pool) continue;
      if (delta.kind === 'sticky_cleared') sticky?.forget(delta.session);
      else if (delta.kind === 'sticky_moved') sticky?.hear(delta.session, delta.to);
      else if (sticky instanceof CookieSessions) sticky.setSecrets(delta.secrets);
    }
  }

  #clearedOf(pool: string): ClearedBefore {
    let cleared = this.#cleared.get(pool);
    if (cleared === undefined) this.#cleared.set(pool, (cleared = new ClearedBefore()));
    return cleared;
  }

  counts(): { readonly pool: string; readonly counts: StickyCounts }[] {
    return [...this.#equipped.keys()].flatMap(({ id, sticky }) =>
      sticky === undefined ? [] : [{ pool: id, counts: { ...sticky.counts } }],
    );
  }
}
