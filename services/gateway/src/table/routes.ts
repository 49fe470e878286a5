import {
  everyReading,
  FastRandom,
  hashOf,
  isPlainPath,
  type PolicySettings,
  poolsOf,
  RouteMatcher,
  type RouteSettings,
  type Uniform,
} from '@usher/domain';
import { ADMISSION_COUNTS, rankOf } from '../admission/admission.ts';
import { type MirrorCounts, RouteMirror } from '../mirror/route-mirror.ts';
import { ruleOf } from '../rate/rate-rule.ts';
import type { PoolTable, RouteEntry } from '../routing-table.ts';
import { claimHeadersOf } from '../traffic/claim-headers.ts';
import { trafficOf } from '../traffic/route-traffic.ts';
import type { TokenKeys } from '../traffic/token-keys.ts';
import { RouteArms } from './route-arms.ts';

/** Index 0 is unused: it is the first digit of a status. */
const STATUS_CLASSES = 6;

/** The routes in force. What a route has answered stays counted when its settings change. */
export class Routes {
  entries: readonly RouteEntry[] = [];
  #matcher = new RouteMatcher<RouteEntry>([]);
  /** As those know the routes who decode what they read. */
  #decodedMatcher = new RouteMatcher<ReadRoute>([]);
  /** As those know the routes to whom capitals are small letters. */
  #foldedMatcher = new RouteMatcher<ReadRoute>([]);
  /** Some route's path has capitals. */
  #hasCapitals = false;
  /** Some route keeps somebody out, so that it matters by which one a path goes. */
  #guarded = false;
  readonly #random: Uniform;
  /** That of copies is their own, so that nothing that a request decides changes by them. */
  readonly #mirrorRandom: Uniform;
  readonly #tokenKeys: TokenKeys;

  /** `random` divides the requests of routes with several pools. */
  constructor(random: FastRandom, tokenKeys: TokenKeys) {
    this.#random = random;
    this.#tokenKeys = tokenKeys;
    this.#mirrorRandom = anotherRandom(random);
  }

  /** Every entry that requests are counted by, for each pool of a route. */
  get counted(): readonly RouteEntry[] {
    return this.entries.flatMap((entry) => entry.arms?.entries ?? entry);
  }

  mirrors(): MirrorCounts[] {
    return this.entries.flatMap(({ settings, mirror }) =>
      mirror === undefined
        ? []
        : { route: settings.id, pool: mirror.entry.pool.id, counts: [...mirror.counts] },
    );
  }

  set(policy: PolicySettings, poolOf: (id: string) => PoolTable): void {
    const before = new Map(this.entries.map((entry) => [entry.settings.id, entry]));
    const claims = claimHeadersOf(policy);
    this.entries = policy.routes.map((each) =>
      newEntry(each, policy, {
        claims,
        before: before.get(each.id),
        poolOf,
        random: this.#random,
        mirrorRandom: this.#mirrorRandom,
        tokenKeys: this.#tokenKeys,
      }),
    );
    this.#matcher = new RouteMatcher(this.entries);
    this.#decodedMatcher = new RouteMatcher(this.entries.map(decodedRoute));
    // Of routes that are one then, those that keep somebody out count.
    const guardsFirst = this.entries.toSorted((a, b) => Number(guards(b)) - Number(guards(a)));
    this.#foldedMatcher = new RouteMatcher(guardsFirst.map(foldedRoute));
    this.#hasCapitals = this.entries.some(({ settings }) => CAPITAL.test(settings.path));
    this.#guarded = this.entries.some(guards);
  }

  /** A path that a backend could read as one of another route has none as soon as some route keeps somebody out. */
  match(host: string, path: string): RouteEntry | undefined {
    const entry = this.#matcher.match(host, path);
    if (!this.#guarded || entry === undefined) return entry;
    const holds = isPlainPath(path)
      ? this.#staysFolded(host, path, entry)
      : everyReading(
          path,
          (reading) => this.#read(host, reading) === entry && this.#staysFolded(host, reading, entry),
        );
    return holds ? entry : undefined;
  }

  /** Whether it leads into no other guarded route for those who take capitals for small letters. Where two differ in nothing else, both are meant. */
  #staysFolded(host: string, path: string, { settings }: RouteEntry): boolean {
    if (!this.#hasCapitals && !CAPITAL.test(path)) return true;
    const folded = this.#foldedMatcher.match(host, path.toLowerCase())?.entry;
    if (folded === undefined || !guards(folded)) return true;
    const { host: known, path: pattern } = folded.settings;
    return known === settings.host && pattern.toLowerCase() === settings.path.toLowerCase();
  }

  #read(host: string, reading: string): RouteEntry | undefined {
    if (!NOT_IN_A_URL.test(reading)) return this.#matcher.match(host, reading);
    return this.#decodedMatcher.match(host, reading)?.entry;
  }
}

const NOT_IN_A_URL = /[^!-~]/;

const CAPITAL = /[A-Z]/;

/** A route as some know it. */
interface ReadRoute {
  readonly settings: Pick<RouteSettings, 'host' | 'path'>;
  readonly entry: RouteEntry;
}

/** A route with its path decoded, but for what would be a wildcard then. */
function decodedRoute(entry: RouteEntry): ReadRoute {
  const path = entry.settings.path.replace(/%(?!2A|3F)([0-9A-F]{2})/gi, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return { settings: { host: entry.settings.host, path }, entry };
}

function foldedRoute(entry: RouteEntry): ReadRoute {
  const { host, path } = entry.settings;
  return { settings: { host, path: path.toLowerCase() }, entry };
}

/** It keeps somebody out, or has a plugin that may do that. */
function guards({ traffic, settings }: RouteEntry): boolean {
  return traffic?.guards === true || settings.plugins.some(({ file }) => file !== undefined);
}

interface Making {
  readonly before: RouteEntry | undefined;
  /** Headers that tokens fill, at any route. */
  readonly claims: readonly string[];
  readonly poolOf: (id: string) => PoolTable;
  readonly random: Uniform;
  readonly mirrorRandom: Uniform;
  readonly tokenKeys: TokenKeys;
}

/** The entry of a route, and one for each of its pools where it has several. These differ in their pools and counts alone. */
function newEntry(settings: RouteSettings, policy: PolicySettings, making: Making): RouteEntry {
  const { before, claims, poolOf, random, tokenKeys } = making;
  const common = {
    settings,
    // Only the plugin lane reads bodies.
    lane: settings.plugins.length > 0 || settings.tier?.field !== undefined ? 'plugin' : 'wire',
    rank: rankOf(settings.priority),
    rule: ruleOf(settings, policy),
    traffic: trafficOf(settings, policy, claims, tokenKeys),
    arms: undefined,
    mirror: undefined,
  } as const;
  const mirror = mirrorOf(common, making);
  const known = before?.arms?.entries.slice(1) ?? [];
  const own: RouteEntry = { ...common, mirror, pool: poolOf(settings.pool ?? ''), ...countsOf(before) };
  const pools = poolsOf(settings).slice(1);
  if (pools.length === 0) return own;
  const others = pools.map((id) => ({
    ...common,
    mirror,
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

/** Where copies of a route's requests go, as if by a route of their own. */
function mirrorOf(
  common: Omit<RouteEntry, 'pool' | 'answers' | 'counts'>,
  { before, poolOf, mirrorRandom }: Making,
): RouteMirror | undefined {
  const { mirror } = common.settings;
  if (mirror === undefined) return undefined;
  const entry = { ...common, pool: poolOf(mirror.pool), ...countsOf(undefined) };
  const known = before?.mirror?.entry.pool.id === mirror.pool ? before.mirror.counts : undefined;
  return new RouteMirror(entry, mirror.share, mirrorRandom, known);
}

/** Chance that takes nothing from what it begins with, and does not repeat it. */
function anotherRandom(random: FastRandom): FastRandom {
  const draws = FastRandom.from(random.seed);
  return new FastRandom({ next: () => hashOf(String(draws.next())) / 2 ** 32 });
}
