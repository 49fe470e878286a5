import type { Place } from '../../fault.ts';
import type { Input } from '../../input/input.ts';
import { map, series, size, value } from '../draft.ts';
import type { Remarks } from '../remarks.ts';
import { RouteList } from '../route-list.ts';
import { clientsOf } from './access.ts';
import type { Directive, Word } from './directives.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import { Listeners } from './listeners.ts';
import { rateLimitIn } from './rate-limits.ts';
import { inForce, type Scopes, wordOf } from './scopes.ts';
import { bytes } from './units.ts';
import type { Upstreams } from './upstreams.ts';

const GUARDS = ['auth_basic', 'auth_request'];
const ACCESS = 'allow or deny';

interface Target {
  readonly path: string;
  readonly pool: string;
  readonly at: Place;
  readonly more: Readonly<Record<string, Input | undefined>>;
}

/** Turns the servers into routes and listeners. */
export class Routes {
  readonly #upstreams: Upstreams;
  readonly #http: readonly Directive[];
  readonly #remarks: Remarks;

  constructor(upstreams: Upstreams, http: readonly Directive[], remarks: Remarks) {
    this.#upstreams = upstreams;
    this.#http = http;
    this.#remarks = remarks;
  }

  /** The listeners and the routes; undefined where there are none. */
  translate(): readonly [listen: Input | undefined, routes: Input | undefined] {
    const servers = this.#http.filter(({ name, block }) => name === 'server' && block !== undefined);
    const listeners = new Listeners(this.#http, this.#remarks);
    const routes = new RouteList(this.#remarks);
    const useful = servers
      .map((server) => ({ server, targets: this.#targets(server.block ?? []) }))
      .filter(({ server, targets }) => {
        if (targets.length === 0)
          this.#remarks.lost(
            'server',
            server.at,
            'nothing in it can be translated, so its addresses are left out',
          );
        return targets.length > 0;
      });
    for (const { server } of useful) listeners.add(server);
    const forAll = useful.filter(({ server }) => isForAll(server));
    const [first] = useful;
    if (forAll.length === 0 && first !== undefined) forAll.push(first);
    for (const one of useful) {
      const hosts: (string | undefined)[] = useful.length === 1 ? [] : this.#hosts(one.server);
      if (forAll.includes(one)) hosts.push(undefined);
      for (const host of hosts) {
        for (const { path, pool, at, more } of one.targets) routes.add(host, path, pool, at, more);
      }
    }
    return [listeners.list(), routes.list()];
  }

  #hosts({ block = [] }: Directive): string[] {
    return namesOf(block).flatMap(({ text, at }) => {
      if (text === '_' || text === '') return [];
      if (text.startsWith('.')) return [text.slice(1), `*${text}`];
      if (/^(\*\.)?[A-Za-z0-9._-]+$/.test(text)) return [text.toLowerCase()];
      this.#remarks.lost('server_name', at, 'hosts are exact, or begin with *.');
      return [];
    });
  }

  #targets(server: readonly Directive[]): Target[] {
    return server
      .filter(({ name, block }) => name === 'location' && block !== undefined)
      .flatMap((location) => this.#target(location, server) ?? []);
  }

  #target(location: Directive, server: readonly Directive[]): Target | undefined {
    const block = location.block ?? [];
    const scopes: Scopes = [block, server, this.#http];
    for (const { name, at } of block)
      if (name === 'location') this.#remarks.lost(name, at, 'locations inside locations are not read');
    const pass = block.find(({ name }) => name === 'proxy_pass' || name === 'grpc_pass');
    const path = this.#path(location);
    const guard = GUARDS.flatMap((name) => inForce(name, scopes)).find(({ args }) => args[0]?.text !== 'off');
    if (guard !== undefined) return this.#closed(location.at, guard.name, path);
    const clients = clientsOf(scopes);
    // What passes nothing on has no route that could keep clients out.
    const isClosed = clients === 'closed' || (clients !== undefined && pass === undefined);
    if (isClosed) return this.#closed(location.at, ACCESS, path);
    if (pass === undefined || path === undefined) {
      if (pass === undefined) this.#remarks.lost('location', location.at, 'it passes nothing on');
      return undefined;
    }
    const { text: url = '', at = pass.at } = pass.args[0] ?? {};
    const pool = this.#upstreams.poolFor({ url, at, scopes, http2: pass.name === 'grpc_pass' });
    if (pool === undefined) {
      this.#remarks.lost(pass.name, at, 'this is not an upstream or a host');
      return undefined;
    }
    this.#remarkOnPath(url, path, at);
    const limit =
      rateLimitIn(block, this.#http, this.#remarks) ?? rateLimitIn(server, this.#http, this.#remarks);
    const more = {
      rate_limit: limit,
      clients,
      request_headers: requestHeaders(scopes, this.#remarks),
      response_headers: responseHeaders(scopes, this.#remarks),
      plugins: plugins(scopes),
    };
    return { path, pool, at: location.at, more };
  }

  /** What was guarded must not become part of a larger location that is open. */
  #closed(at: Place, guard: string, path: string | undefined): Target | undefined {
    if (path === undefined) {
      this.#remarks.lost(
        'location',
        at,
        `${guard} kept others out of it, and other locations now get its requests`,
      );
      return undefined;
    }
    this.#remarks.changed(
      'location',
      at,
      `${guard} kept others out of it, so everybody is: it is answered with 503`,
    );
    return { path, pool: this.#upstreams.closed(at), at, more: {} };
  }

  /** Undefined, with a word about it, when no route can be for it. */
  #path({ args, at }: Directive): string | undefined {
    const [first, second] = args.map(({ text }) => text);
    if (first === '=' && second !== undefined) return second;
    const prefix = first === '^~' ? second : first;
    if (prefix === undefined || !prefix.startsWith('/')) {
      this.#remarks.lost('location', at, 'only prefixes and exact paths are known');
      return undefined;
    }
    const bare = prefix.replace(/\/+$/, '');
    if (bare === '') return '/*';
    if (bare === prefix) {
      const message = `${prefix} and what is below it, by whole segments; ${prefix}x is no longer meant`;
      this.#remarks.changed('location', at, message);
    }
    return `${bare}/*`;
  }

  /** A path behind the host of `proxy_pass` takes the place of the location's. */
  #remarkOnPath(url: string, path: string, at: Place): void {
    const behind = /^[a-z]+:\/\/[^/]+(\/.*)$/i.exec(url)?.[1];
    if (behind === undefined) return;
    const same = path === '/*' ? behind === '/' : behind.replace(/\/+$/, '') === path.replace(/\/\*$/, '');
    if (!same)
      this.#remarks.changed('proxy_pass', at, 'paths are passed on as they are, not with this one instead');
  }
}

function namesOf(server: readonly Directive[]): Word[] {
  return server.filter(({ name }) => name === 'server_name').flatMap(({ args }) => args);
}

/** Whether a server says that it is for hosts that no other is for. Where none does, the first one is. */
function isForAll({ block = [] }: Directive): boolean {
  const names = namesOf(block).map(({ text }) => text);
  if (names.length === 0 || names.includes('_') || names.includes('')) return true;
  return block.some(
    ({ name, args }) => name === 'listen' && args.some(({ text }) => /^default(_server)?$/.test(text)),
  );
}

function plugins(scopes: Scopes): Input | undefined {
  const gzip = wordOf('gzip', scopes);
  if (gzip?.text !== 'on') return undefined;
  const min = wordOf('gzip_min_length', scopes);
  const length = min === undefined ? undefined : bytes(min.text);
  return series([
    map({
      name: value('gzip', gzip.at),
      min_size: length === undefined ? undefined : value(size(length), min?.at),
    }),
  ]);
}
