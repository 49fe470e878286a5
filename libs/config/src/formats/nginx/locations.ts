import type { Place } from '../../fault.ts';
import type { Input } from '../../input/input.ts';
import { map, values } from '../draft.ts';
import { redirectInput, SAME_OVER_TLS } from '../redirects.ts';
import type { Remarks } from '../remarks.ts';
import { clientsOf } from './access.ts';
import { type Answer, answerOf, FORBIDDEN } from './answers.ts';
import type { Directive } from './directives.ts';
import { guardOf } from './guards.ts';
import { gzipOf } from './gzip.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import { rateLimitIn } from './rate-limits.ts';
import { rewriteInput, rewritesOf } from './rewrites.ts';
import type { Scopes } from './scopes.ts';
import type { Upstreams } from './upstreams.ts';

const ACCESS = 'allow or deny';
const EVERYBODY = ['0.0.0.0/0', '::/0'];

/** What becomes of the requests for a path. */
export interface Target {
  readonly path: string;
  /** Undefined where clients are sent elsewhere. */
  readonly pool: string | undefined;
  readonly at: Place;
  readonly more: Readonly<Record<string, Input | undefined>>;
  /** The status with which clients are sent to the same URL over TLS. */
  readonly toTls?: number;
}

/** Turns what a server says about paths into targets. */
export class Locations {
  readonly #upstreams: Upstreams;
  readonly #http: readonly Directive[];
  readonly #remarks: Remarks;

  constructor(upstreams: Upstreams, http: readonly Directive[], remarks: Remarks) {
    this.#upstreams = upstreams;
    this.#http = http;
    this.#remarks = remarks;
  }

  /** The targets of a server, whose names are given. */
  of(server: readonly Directive[], names: readonly string[]): readonly Target[] {
    const answer = answerOf(server, names, this.#remarks);
    if (answer !== undefined) return [this.#answered('/*', answer)];
    const { redirects } = rewritesOf(server, 'server', names, this.#remarks);
    const sent = redirects.map(({ path = '/*', redirect }) => this.#answered(path, redirect));
    const located = server
      .filter(({ name, block }) => name === 'location' && block !== undefined)
      .flatMap((location) => this.#targets(location, server, names));
    const taken = new Set(sent.map(({ path }) => path));
    return [...sent, ...located.filter(({ path }) => !taken.has(path))];
  }

  #targets(location: Directive, server: readonly Directive[], names: readonly string[]): readonly Target[] {
    const block = location.block ?? [];
    const inner = block.filter(({ name }) => name === 'location').flatMap((one) => this.#inside(one));
    for (const { name, at } of block) if (name === 'if') this.#remarks.lost(name, at, CONDITIONS);
    const path = this.#path(location);
    const own = this.#ownTargets(location, server, names, path);
    return [...own, ...inner];
  }

  /** Of a location inside another one only that it keeps others out is read. */
  #inside(location: Directive): readonly Target[] {
    const { block = [], at } = location;
    this.#remarks.lost('location', at, 'locations inside locations are not read');
    const inner = block.filter(({ name }) => name === 'location').flatMap((one) => this.#inside(one));
    const isClosed = /^[45]/.test(block.find(({ name }) => name === 'return')?.args[0]?.text ?? '');
    const guard = guardOf([block]) ?? (isClosed ? 'return' : clientsOf([block]) && ACCESS);
    const closed = guard === undefined ? undefined : this.#closed(location, guard, this.#path(location));
    return closed === undefined ? inner : [closed, ...inner];
  }

  #ownTargets(
    location: Directive,
    server: readonly Directive[],
    names: readonly string[],
    path: string | undefined,
  ): readonly Target[] {
    const block = location.block ?? [];
    const { redirects, rewrite } = rewritesOf(block, 'location', names, this.#remarks);
    const sent = redirects.map((one) => this.#answered(one.path ?? path ?? '/*', one.redirect));
    if (sent.some((target) => target.path === path)) return sent;
    const answer = answerOf(block, names, this.#remarks);
    if (answer !== undefined && path !== undefined) {
      if (answer.kind === 'closed') this.#tellLoose(location, 'return');
      return [...sent, this.#answered(path, answer)];
    }
    if (answer?.kind === 'closed') this.#closed(location, 'return', path);
    const target = this.#target(location, server, path, rewrite);
    return target === undefined ? sent : [...sent, target];
  }

  #answered(path: string, answer: Answer): Target {
    const { at } = answer;
    if (answer.kind !== 'closed') {
      const isToTls = answer.kind === 'https' || answer.to === SAME_OVER_TLS;
      return {
        path,
        pool: undefined,
        at,
        more: { redirect: redirectInput(answer, 'return', this.#remarks) },
        ...(isToTls && { toTls: answer.status }),
      };
    }
    if (answer.status === FORBIDDEN) return this.#forbidden(path, at);
    return { path, pool: this.#upstreams.closed(at), at, more: {} };
  }

  #forbidden(path: string, at: Place): Target {
    return {
      path,
      pool: this.#upstreams.closed(at),
      at,
      more: { clients: map({ deny: values(EVERYBODY, at) }, at) },
    };
  }

  #target(
    location: Directive,
    server: readonly Directive[],
    path: string | undefined,
    rewrite: Input | undefined,
  ): Target | undefined {
    const block = location.block ?? [];
    const scopes: Scopes = [block, server, this.#http];
    const pass = block.find(({ name }) => name === 'proxy_pass' || name === 'grpc_pass');
    const guard = guardOf(scopes);
    if (guard !== undefined) return this.#closed(location, guard, path);
    const clients = clientsOf(scopes);
    if (clients === 'nobody' && path !== undefined) {
      this.#tellLoose(location, ACCESS);
      return this.#forbidden(path, location.at);
    }
    // What passes nothing on has no route that could keep clients out.
    const isClosed =
      clients === 'nobody' || clients === 'closed' || (clients !== undefined && pass === undefined);
    if (isClosed) return this.#closed(location, ACCESS, path);
    if (clients !== undefined) this.#tellLoose(location, ACCESS);
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
    const replaced = this.#replaced(url, location, at);
    const limit =
      rateLimitIn(block, this.#http, this.#remarks) ?? rateLimitIn(server, this.#http, this.#remarks);
    const more = {
      rate_limit: limit,
      rewrite: rewrite ?? replaced,
      clients,
      request_headers: requestHeaders(scopes, this.#remarks),
      response_headers: responseHeaders(scopes, this.#remarks),
      plugins: gzipOf(scopes, this.#remarks),
    };
    return { path, pool, at: location.at, more };
  }

  /** What was guarded must not become part of a larger location that is open. */
  #closed(location: Directive, guard: string, path: string | undefined): Target | undefined {
    const { args, at } = location;
    if (path === undefined) {
      // Nobody but nginx itself asks for a location with a name.
      if (args[0]?.text.startsWith('@') === true) return undefined;
      const message = `${guard} kept others out of it, and other locations now get its requests`;
      this.#remarks.open('location', at, message);
      return undefined;
    }
    this.#tellLoose(location, guard);
    this.#remarks.changed(
      'location',
      at,
      `${guard} kept others out of it, so everybody is: it is answered with 503`,
    );
    return { path, pool: this.#upstreams.closed(at), at, more: {} };
  }

  /** Paths that only begin like it are other ones in Usher, and nothing keeps anybody out of those. */
  #tellLoose({ args, at }: Directive, guard: string): void {
    const prefix = args[0]?.text === '^~' ? args[1]?.text : args[0]?.text;
    if (prefix?.startsWith('/') !== true || prefix.endsWith('/')) return;
    this.#remarks.open(
      'location',
      at,
      `${guard} kept others out of ${prefix}x as well, which is another path now`,
    );
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

  /** What `proxy_pass` puts in place of the location: the path behind its host. */
  #replaced(url: string, { args }: Directive, at: Place): Input | undefined {
    const behind = /^[a-z]+:\/\/[^/]+(\/.*)$/i.exec(url)?.[1];
    if (behind === undefined) return undefined;
    const own = args.at(-1)?.text ?? '';
    const [strip, add] = [own, behind].map((path) => path.replace(/\/$/, ''));
    const isExact = args[0]?.text === '=';
    // Else the rest of a path would go on in the middle of a segment.
    const isWhole = isExact || own.endsWith('/') === behind.endsWith('/') || add === '';
    const rewrite = isWhole ? rewriteInput(strip ?? '', add ?? '', at) : undefined;
    if (rewrite === undefined && (!isWhole || strip !== add))
      this.#remarks.changed('proxy_pass', at, 'paths are passed on as they are, not with this one instead');
    return rewrite;
  }
}

/** Said of conditions that are not read. */
export const CONDITIONS = 'there are no conditions';
