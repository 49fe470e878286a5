import {
  isPlainPath,
  type PolicySettings,
  plainPaths,
  poolsOf,
  RouteMatcher,
  type RouteSettings,
  type Uniform,
} from '@usher/domain';
import { ADMISSION_COUNTS, rankOf } from '../admission/admission.ts';
import { ruleOf } from '../rate/rate-rule.ts';
import type { PoolTable, RouteEntry } from '../routing-table.ts';
import { trafficOf } from '../traffic/route-traffic.ts';
import { RouteArms } from './route-arms.ts';

/** Index 0 is unused: it is the first digit of a status. */
const STATUS_CLASSES = 6;

/** The routes in force. What a route has answered stays counted when its settings change. */
export class Routes {
  entries: readonly RouteEntry[] = [];
  #matcher = new RouteMatcher<RouteEntry>([]);
  /** Some route keeps somebody out, so that it matters by which one a path goes. */
  #guarded = false;
  readonly #random: Uniform;

  /** `random` divides the requests of routes with several pools. */
  constructor(random: Uniform) {
    this.#random = random;
  }

  /** Every entry that requests are counted by, for each pool of a route. */
  get counted(): readonly RouteEntry[] {
    return this.entries.flatMap((entry) => entry.arms?.entries ?? entry);
  }

  set(policy: PolicySettings, poolOf: (id: string) => PoolTable): void {
    const before = new Map(this.entries.map((entry) => [entry.settings.id, entry]));
    this.entries = policy.routes.map((each) =>
      newEntry(each, policy, { before: before.get(each.id), poolOf, random: this.#random }),
    );
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

interface Making {
  readonly before: RouteEntry | undefined;
  readonly poolOf: (id: string) => PoolTable;
  readonly random: Uniform;
}

/** The entry of a route, and one for each of its pools where it has several. These differ in their pools and counts alone. */
function newEntry(
  settings: RouteSettings,
  policy: PolicySettings,
  { before, poolOf, random }: Making,
): RouteEntry {
  const common = {
    settings,
    // Only the plugin lane reads bodies.
    lane: settings.plugins.length > 0 || settings.tier?.field !== undefined ? 'plugin' : 'wire',
    rank: rankOf(settings.priority),
    rule: ruleOf(settings, policy),
    traffic: trafficOf(settings, policy),
    arms: undefined,
  } as const;
  const known = before?.arms?.entries.slice(1) ?? [];
  const own: RouteEntry = { ...common, pool: poolOf(settings.pool), ...countsOf(before) };
  const pools = poolsOf(settings).slice(1);
  if (pools.length === 0) return own;
  const others = pools.map((id) => ({
    ...common,
    pool: poolOf(id),
    ...countsOf(known.find(({ pool }) => pool.id === id)),
  }));
  return { ...own, arms: new RouteArms(own, others, random) };
}

/** What was counted so far goes on. */
function countsOf(old: RouteEntry | undefined): Pick<RouteEntry, 'answers' | 'counts'> {
  return {
    answers: old?.answers ?? new Float64Array(STATUS_CLASSES),
    counts: old?.counts ?? new Float64Array(ADMISSION_COUNTS),
  };
}
