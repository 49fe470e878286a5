import type { RouteSettings } from './settings.ts';

/** The routes of one host pattern. */
class PathTable<R> {
  readonly #exact = new Map<string, R>();
  /** Without the `/*`; longest first. */
  readonly #prefixes: { readonly prefix: string; readonly route: R }[] = [];

  add(path: string, route: R): void {
    if (path.endsWith('/*')) {
      const prefix = path.slice(0, -2);
      if (this.#prefixes.some((entry) => entry.prefix === prefix)) return;
      this.#prefixes.push({ prefix, route });
      this.#prefixes.sort((a, b) => b.prefix.length - a.prefix.length);
    } else if (!this.#exact.has(path)) {
      this.#exact.set(path, route);
    }
  }

  find(path: string): R | undefined {
    const exact = this.#exact.get(path);
    if (exact !== undefined) return exact;
    for (const { prefix, route } of this.#prefixes) {
      // `/v1/*` is `/v1` and all below it, but not `/v1x`. The empty prefix takes everything, also `OPTIONS *`.
      const covered =
        prefix === '' ||
        (path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === 47));
      if (covered) return route;
    }
    return undefined;
  }
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
