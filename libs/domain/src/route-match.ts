import { PathTable } from './path-table.ts';
import type { RouteSettings } from './settings.ts';

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
      // At least one label stands for the star; a label more is fine too.
      const route = host.length > suffix.length && host.endsWith(suffix) ? paths.find(path) : undefined;
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
