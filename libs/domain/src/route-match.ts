import { isCovered, PathTable } from './path-table.ts';
import type { RouteSettings } from './settings.ts';

/** At least one label stands for the star; a label more is fine too. */
function isBelow(suffix: string, host: string): boolean {
  return host.length > suffix.length && host.endsWith(suffix);
}

/**
 * Finds the most specific route whose host and path both match: an exact host before the longest wildcard before any
 * host, and within these an exact path before the longest prefix. Of two routes with equal patterns the first one counts.
 * Built once for a policy; a look-up allocates nothing.
 */
export class RouteMatcher<R extends { readonly settings: Pick<RouteSettings, 'host' | 'path'> }> {
  readonly #hosts = new Map<string, PathTable<R>>();
  /** `*.example.com` as `.example.com`; longest first. */
  readonly #wildcards: { readonly suffix: string; readonly paths: PathTable<R> }[] = [];
  readonly #anyHost = new PathTable<R>();

  constructor(routes: readonly R[]) {
    for (const route of routes) this.#tableFor(route.settings.host).add(route.settings.path, route);
    this.#wildcards.sort((a, b) => b.suffix.length - a.suffix.length);
  }

  /** `host` in lower case without its port; `path` as received, without the query. */
  match(host: string, path: string): R | undefined {
    const exact = this.#hosts.get(host)?.find(path);
    if (exact !== undefined) return exact;
    for (const { suffix, paths } of this.#wildcards) {
      const route = isBelow(suffix, host) ? paths.find(path) : undefined;
      if (route !== undefined) return route;
    }
    return this.#anyHost.find(path);
  }

  #tableFor(host: string | undefined): PathTable<R> {
    if (host === undefined) return this.#anyHost;
    if (!host.startsWith('*.')) {
      const known = this.#hosts.get(host) ?? new PathTable<R>();
      this.#hosts.set(host, known);
      return known;
    }
    const suffix = host.slice(1);
    const known = this.#wildcards.find((entry) => entry.suffix === suffix);
    if (known !== undefined) return known.paths;
    const paths = new PathTable<R>();
    this.#wildcards.push({ suffix, paths });
    return paths;
  }
}

type Match = Pick<RouteSettings, 'host' | 'path'>;

/** What one route says to a request; `less_specific`: it would take it, but another one is more specific or comes first. */
export type RouteVerdict = 'matches' | 'less_specific' | 'other_host' | 'other_path';

/** Routes in the order in which they are preferred: the first one of these that matches is what `RouteMatcher` finds. */
export function inMatchOrder<R extends Match>(routes: readonly R[]): R[] {
  const rank = ({ host, path }: R): readonly [number, number] => [
    host === undefined ? 0 : host.startsWith('*.') ? host.length : Number.POSITIVE_INFINITY,
    path.endsWith('/*') ? path.length : Number.POSITIVE_INFINITY,
  ];
  const ranked = routes.map((route) => ({ route, rank: rank(route) }));
  ranked.sort((a, b) => after(a.rank[0], b.rank[0]) || after(a.rank[1], b.rank[1]));
  return ranked.map(({ route }) => route);
}

function after(a: number, b: number): number {
  return a === b ? 0 : b - a;
}

/** What each of the routes says to a request, in the order in which they are preferred. */
export function explainRoutes<R extends Match>(
  routes: readonly R[],
  host: string,
  path: string,
): { readonly route: R; readonly verdict: RouteVerdict }[] {
  let found = false;
  return inMatchOrder(routes).map((route) => {
    if (!takesHost(route, host)) return { route, verdict: 'other_host' };
    if (!takesPath(route, path)) return { route, verdict: 'other_path' };
    const verdict = found ? 'less_specific' : 'matches';
    found = true;
    return { route, verdict };
  });
}

function takesHost({ host: pattern }: Match, host: string): boolean {
  if (pattern === undefined) return true;
  return pattern.startsWith('*.') ? isBelow(pattern.slice(1), host) : pattern === host;
}

function takesPath({ path: pattern }: Match, path: string): boolean {
  return pattern.endsWith('/*') ? isCovered(pattern.slice(0, -2), path) : pattern === path;
}
