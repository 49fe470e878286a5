import type { Place } from '../../fault.ts';
import type { Input } from '../../input/input.ts';
import { type Door, ELSEWHERE, sharing } from '../exposure.ts';
import { redirectInput, SAME_OVER_TLS } from '../redirects.ts';
import type { Remarks } from '../remarks.ts';
import { RouteList } from '../route-list.ts';
import type { Directive, Word } from './directives.ts';
import { Listeners, type Transport } from './listeners.ts';
import { Locations, type Target } from './locations.ts';
import { type ToTls, toTlsOf } from './to-tls.ts';
import type { Upstreams } from './upstreams.ts';

type Host = string | undefined;

interface Server {
  readonly directive: Directive;
  /** In lower case; undefined is every host. */
  readonly hosts: readonly Host[];
  readonly at: Place;
  readonly doors: readonly Door[];
  readonly transport: Transport;
  readonly targets: readonly Target[];
  readonly toTls: ToTls | undefined;
}

/** Turns the servers into routes and listeners. */
export class Routes {
  readonly #http: readonly Directive[];
  readonly #remarks: Remarks;
  readonly #locations: Locations;
  readonly #listeners: Listeners;

  constructor(upstreams: Upstreams, http: readonly Directive[], remarks: Remarks) {
    this.#http = http;
    this.#remarks = remarks;
    this.#locations = new Locations(upstreams, http, remarks);
    this.#listeners = new Listeners(http, remarks);
  }

  /** The listeners and the routes; undefined where there are none. */
  translate(): readonly [listen: Input | undefined, routes: Input | undefined] {
    const useful = this.#http
      .filter(({ name, block }) => name === 'server' && block !== undefined)
      .map((directive) => this.#server(directive))
      .filter((server) => this.#isUseful(server));
    const servers = sharing(useful, ({ at }) => this.#remarks.lost('server', at, ELSEWHERE));
    for (const { directive } of servers) this.#listeners.add(directive);
    const routes = new RouteList(this.#remarks);
    const senders = servers.filter(({ toTls, transport }) => toTls !== undefined && transport === 'plain');
    const passing = servers.filter(({ targets }) => targets.length > 0);
    const isAlone = passing.length === 1 && senders.length === 0;
    const serving = isAlone
      ? passing.map((server) => ({ ...server, hosts: [undefined] }))
      : withFallback(passing);
    for (const server of serving) {
      for (const host of server.hosts) this.#add(server, host, senders, routes);
    }
    for (const sender of senders) this.#addSender(sender, serving, routes);
    return [this.#listeners.list(), routes.list()];
  }

  #server(directive: Directive): Server {
    const { block = [] } = directive;
    const names = namesOf(block);
    const texts = names.map(({ text }) => text);
    const transport = this.#listeners.transportOf(directive);
    const targets = this.#locations.of(block, texts);
    const toTls = toTlsOf(block, targets, texts, this.#remarks);
    const hosts: Host[] = names.flatMap((name) => this.#hosts(name));
    if (isForAll(directive)) hosts.push(undefined);
    const kept = transport === 'plain' ? targets.filter((target) => !isOf(target, toTls)) : targets;
    const doors = this.#listeners.doorsOf(directive);
    return { directive, at: directive.at, doors, hosts, transport, targets: kept, toTls };
  }

  #isUseful({ directive, targets, toTls, transport }: Server): boolean {
    if (targets.length > 0 || (toTls !== undefined && transport === 'plain')) return true;
    const message = 'nothing in it can be translated, so its addresses are left out';
    this.#remarks.lost('server', directive.at, message);
    return false;
  }

  #hosts({ text, at }: Word): string[] {
    if (text === '_' || text === '') return [];
    if (text.startsWith('.')) return [text.slice(1), `*${text}`];
    if (/^(\*\.)?[A-Za-z0-9._-]+$/.test(text)) return [text.toLowerCase()];
    this.#remarks.lost('server_name', at, 'hosts are exact, or begin with *.');
    return [];
  }

  #add(server: Server, host: Host, senders: readonly Server[], routes: RouteList): void {
    const { targets, transport, toTls } = server;
    if (toTls?.isWhole === true && isSentBy(server, host)) return;
    const sender = transport === 'both' ? server : senders.find((one) => isSentBy(one, host));
    const sent =
      transport !== 'plain' && sender !== undefined && isFor(sender, host) ? sender.toTls : undefined;
    const redirect =
      sent === undefined ? undefined : redirectInput({ kind: 'https', ...sent }, 'return', this.#remarks);
    for (const { path, pool, at, more } of targets)
      routes.add(host, path, pool, at, redirect === undefined ? more : { redirect, ...more });
  }

  /** Hosts that no server has over TLS are sent there by a route of their own, unless TLS is there for others. */
  #addSender(sender: Server, serving: readonly Server[], routes: RouteList): void {
    const { toTls, hosts } = sender;
    if (toTls === undefined) return;
    const secure = serving.filter(({ transport }) => transport !== 'plain');
    const known = new Set(secure.flatMap((server) => server.hosts));
    for (const host of toTls.hosts ?? hosts) {
      if (known.has(host) || (known.has(undefined) && secure.length === 1)) continue;
      if (secure.length > 0) {
        const message = `${host ?? 'every host'} has no server with TLS that could be translated`;
        this.#remarks.lost('return', toTls.at, message);
      } else {
        const redirect = { kind: 'to', to: SAME_OVER_TLS, status: toTls.status, at: toTls.at } as const;
        const more = { redirect: redirectInput(redirect, 'return', this.#remarks) };
        routes.add(host, '/*', undefined, toTls.at, more);
      }
    }
  }
}

/** Where none says that it is for every host, the first one is. */
function withFallback(servers: readonly Server[]): readonly Server[] {
  const [first, ...others] = servers;
  if (first === undefined) return [];
  return servers.some(({ hosts }) => hosts.includes(undefined))
    ? servers
    : [{ ...first, hosts: [...first.hosts, undefined] }, ...others];
}

function isOf({ path, toTls }: Target, sent: ToTls | undefined): boolean {
  return path === '/*' && toTls !== undefined && sent !== undefined;
}

/** Whether a server without TLS sends those who ask for a host to the same URL over it. */
function isSentBy(server: Server, host: Host): boolean {
  return server.transport === 'plain' && isFor(server, host);
}

function isFor({ toTls, hosts }: Server, host: Host): boolean {
  if (toTls === undefined) return false;
  const all: readonly Host[] = toTls.hosts === undefined ? hosts : [...toTls.hosts];
  return all.includes(host) || all.includes(undefined);
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
