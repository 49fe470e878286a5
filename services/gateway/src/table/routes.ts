import { isPlainPath, type PolicySettings, plainPaths, RouteMatcher } from '@usher/domain';
import { ADMISSION_COUNTS, rankOf } from '../admission/admission.ts';
import { ruleOf } from '../rate/rate-rule.ts';
import type { PoolTable, RouteEntry } from '../routing-table.ts';
import { trafficOf } from '../traffic/route-traffic.ts';

/** Index 0 is unused: it is the first digit of a status. */
const STATUS_CLASSES = 6;

/** The routes in force. What a route has answered stays counted when its settings change. */
export class Routes {
  entries: readonly RouteEntry[] = [];
  #matcher = new RouteMatcher<RouteEntry>([]);
  /** Some route keeps somebody out, so that it matters by which one a path goes. */
  #guarded = false;

  set(policy: PolicySettings, poolOf: (id: string) => PoolTable): void {
    const before = new Map(this.entries.map((entry) => [entry.settings.id, entry]));
    this.entries = policy.routes.map((each) => ({
      settings: each,
      // One that is never declared has nobody.
      pool: poolOf(each.pool ?? ''),
      // Only the plugin lane reads bodies.
      lane: each.plugins.length > 0 || each.tier?.field !== undefined ? 'plugin' : 'wire',
      answers: before.get(each.id)?.answers ?? new Float64Array(STATUS_CLASSES),
      rank: rankOf(each.priority),
      rule: ruleOf(each, policy),
      traffic: trafficOf(each, policy),
      counts: before.get(each.id)?.counts ?? new Float64Array(ADMISSION_COUNTS),
    }));
    this.#matcher = new RouteMatcher(this.entries);
    this.#guarded = this.entries.some(({ traffic }) => traffic?.guards === true);
  }

  /** A path that a backend could read as one of another route has none as soon as some route keeps somebody out. */
  match(host: string, path: string): RouteEntry | undefined {
    const entry = this.#matcher.match(host, path);
    if (!this.#guarded || isPlainPath(path)) return entry;
    return plainPaths(path).every((each) => this.#matcher.match(host, each) === entry) ? entry : undefined;
  }
}
