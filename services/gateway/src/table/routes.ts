import { type PolicySettings, RouteMatcher } from '@usher/domain';
import { ADMISSION_COUNTS, rankOf } from '../admission/admission.ts';
import { ruleOf } from '../rate/rate-rule.ts';
import type { PoolTable, RouteEntry } from '../routing-table.ts';

/** Index 0 is unused: it is the first digit of a status. */
const STATUS_CLASSES = 6;

/** The routes in force. What a route has answered stays counted when its settings change. */
export class Routes {
  entries: readonly RouteEntry[] = [];
  #matcher = new RouteMatcher<RouteEntry>([]);

  set(policy: PolicySettings, poolOf: (id: string) => PoolTable): void {
    const before = new Map(this.entries.map((entry) => [entry.settings.id, entry]));
    this.entries = policy.routes.map((each) => ({
      settings: each,
      pool: poolOf(each.pool),
      // Only the plugin lane reads bodies.
      lane: each.plugins.length > 0 || each.tier?.field !== undefined ? 'plugin' : 'wire',
      answers: before.get(each.id)?.answers ?? new Float64Array(STATUS_CLASSES),
      rank: rankOf(each.priority),
      rule: ruleOf(each, policy),
      counts: before.get(each.id)?.counts ?? new Float64Array(ADMISSION_COUNTS),
    }));
    this.#matcher = new RouteMatcher(this.entries);
  }

  match(host: string, path: string): RouteEntry | undefined {
    return this.#matcher.match(host, path);
  }
}
