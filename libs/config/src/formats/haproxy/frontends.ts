import type { Place } from '../../fault.ts';
import type { Input } from '../../input/input.ts';
import { value } from '../draft.ts';
import { ListenerList, type ListenerTls } from '../listener-list.ts';
import { redirectInput, SAME_OVER_TLS } from '../redirects.ts';
import type { Remarks } from '../remarks.ts';
import { RouteList } from '../route-list.ts';
import type { Backends } from './backends.ts';
import { type Acls, aclsOf, parseCondition, placesOf } from './conditions.ts';
import { BIND_ADDRESS, listenerHost } from './doors.ts';
import { cutUp, type Spot } from './places.ts';
import { type Deciders, type Policy, policyAt } from './policy.ts';
import { matchesOf, rulesOf, type Transport } from './rules.ts';
import { hasOption, type Line, linesOf, optionOf, type Section, type Word } from './sections.ts';

const OLD_VERSIONS = new Set(['SSLv3', 'TLSv1.0', 'TLSv1.1']);
const ANY_PATH = '/*';

/** Where requests for a place go; without a pool they go nowhere, unless clients are sent elsewhere. */
interface Target extends Spot {
  readonly pool: string | undefined;
  readonly backend: Section | undefined;
  readonly at: Place;
}

interface Served {
  readonly transport: Transport;
  readonly targets: readonly (Target & { readonly policy: Policy })[];
}

/** Turns the sections with addresses into listeners and routes. */
export class Frontends {
  readonly #backends: Backends;
  readonly #remarks: Remarks;
  readonly #listeners: ListenerList;
  readonly #served: Served[] = [];

  constructor(backends: Backends, remarks: Remarks) {
    this.#backends = backends;
    this.#remarks = remarks;
    this.#listeners = new ListenerList(remarks);
  }

  add(section: Section): void {
    const binds = section.lines.filter(({ keyword }) => keyword === 'bind');
    for (const line of binds) this.#bind(line);
    const transport = transportOf(binds);
    const targets = this.#targets(section);
    const deciders = new Map<Section | undefined, Deciders>();
    for (const { backend } of targets) {
      if (deciders.has(backend)) continue;
      const sections = backend === undefined || backend === section ? [section] : [section, backend];
      const rules = sections.map((one) => rulesOf(one, aclsIn(one)));
      deciders.set(backend, { sections, rules, transport });
    }
    const asked = [...deciders.values()].flatMap(({ rules }) => matchesOf(rules.flat()));
    const whole = cutUp(targets, asked);
    if (whole === undefined)
      this.#remarks.fault(section.kind, section.at, 'its rules tell too many hosts and paths apart');
    const decided = (whole ?? []).map((target) => ({
      ...target,
      policy: policyAt(deciders.get(target.backend)!, target, this.#remarks),
    }));
    this.#served.push({ transport, targets: decided });
  }

  listen(): Input | undefined {
    return this.#listeners.list();
  }

  /** The redirect of all routes, and the routes. */
  routes(): readonly [redirect: Input | undefined, routes: Input | undefined] {
    const toTls = this.#redirectOfAll();
    const routes = new RouteList(this.#remarks);
    for (const { transport, targets } of this.#served) {
      for (const target of targets) this.#route(target, transport, toTls !== undefined, routes);
    }
    return [toTls, routes.list()];
  }

  /**
   * A section without TLS that sends all who have no backend there to the same URL with it. As every listener serves every
   * route, it does so for the routes of the others.
   */
  #redirectOfAll(): Input | undefined {
    for (const { transport, targets } of this.#served) {
      const fallback = targets.find(({ host, path }) => host === undefined && path === ANY_PATH);
      const redirect = fallback?.policy.redirect;
      if (redirect?.kind !== 'https' || transport !== 'plain') continue;
      const others = this.#served.filter((served) => served.targets !== targets);
      // Without a listener with TLS, whoever has one is elsewhere, and nobody comes twice.
      if (others.every((served) => served.transport !== 'tls')) return undefined;
      if (others.every((served) => served.transport === 'tls' || isToTls(served)))
        return redirectInput(redirect, 'redirect', this.#remarks);
      this.#remarks.lost('redirect', redirect.at, 'every listener serves every route, and some have no TLS');
    }
    return undefined;
  }

  #route(target: Served['targets'][number], transport: Transport, ofAll: boolean, routes: RouteList): void {
    const { host, path, pool, at, policy } = target;
    const { redirect, more } = policy;
    if (redirect?.kind === 'https' && transport === 'plain') {
      if (!ofAll) {
        const to = { kind: 'to', to: SAME_OVER_TLS, status: redirect.status, at: redirect.at } as const;
        routes.add(host, path, undefined, at, { redirect: redirectInput(to, 'redirect', this.#remarks) });
      }
      return;
    }
    const own = redirect === undefined ? undefined : redirectInput(redirect, 'redirect', this.#remarks);
    const none = ofAll && transport === 'plain' ? value('none', at) : undefined;
    if (redirect?.kind === 'to') routes.add(host, path, undefined, at, { redirect: own, ...more });
    else if (pool !== undefined) routes.add(host, path, pool, at, { redirect: own ?? none, ...more });
  }

  /** Of several for a place the first one counts. */
  #targets(section: Section): readonly Target[] {
    const acls = aclsIn(section);
    const targets = section.lines
      .filter(({ keyword }) => keyword === 'use_backend')
      .flatMap((line) => this.#useBackend(line, acls));
    const [fallback] = linesOf(section, 'default_backend');
    const name = fallback?.args[0]?.text ?? (section.kind === 'listen' ? section.name : undefined);
    const found = name === undefined ? undefined : this.#backends.find(name);
    const at = fallback?.at ?? section.at;
    if (name !== undefined && found === undefined)
      this.#remarks.lost('default_backend', at, `there is no backend ${JSON.stringify(name)}`);
    return [...targets, { path: ANY_PATH, pool: found?.id, backend: found?.section, at }];
  }

  #useBackend({ args, at }: Line, acls: Acls): readonly Target[] {
    const [name, word, ...condition] = args;
    const found = this.#backends.find(name?.text ?? '');
    if (found === undefined) {
      this.#remarks.lost('use_backend', at, `there is no backend ${JSON.stringify(name?.text ?? '')}`);
      return [];
    }
    const places =
      word === undefined ? [{}] : word.text === 'if' ? placesOf(parseCondition(condition, acls)) : undefined;
    if (places === undefined)
      this.#remarks.lost('use_backend', at, 'its condition is not one of host and path');
    return (places ?? []).map(({ host, path = ANY_PATH }) => ({
      host,
      path,
      pool: found.id,
      backend: found.section,
      at,
    }));
  }

  #bind({ args, at }: Line): void {
    const [addresses, ...options] = args;
    if (addresses === undefined) return;
    const tls = hasOption(options, 'ssl') ? this.#tls(options, at) : undefined;
    for (const written of addresses.text.split(',')) {
      const match = BIND_ADDRESS.exec(written);
      if (match === null) {
        this.#remarks.lost('bind', addresses.at, 'listeners have an address and one port');
        continue;
      }
      const [, host = '', port = ''] = match;
      this.#listeners.add({
        host: listenerHost(host),
        port: Number(port),
        at,
        proxyProtocol: hasOption(options, 'accept-proxy'),
        http2: true,
        tls,
      });
    }
  }

  #tls(options: readonly Word[], at: Place): ListenerTls {
    const certificates = options.flatMap(({ text }, index) => {
      const file = text === 'crt' ? options[index + 1] : undefined;
      return file === undefined ? [] : [{ cert: file.text, key: file.text, at: file.at }];
    });
    const list = optionOf(options, 'crt-list');
    if (list !== undefined) this.#remarks.lost('crt-list', list.at, 'name the certificates one by one');
    if (certificates.length === 0) {
      this.#remarks.fault('bind', at, 'TLS needs a certificate: crt');
      certificates.push({ cert: '.', key: '.', at });
    }
    const [min, ca, verify] = ['ssl-min-ver', 'ca-file', 'verify'].map((name) => optionOf(options, name));
    if (min !== undefined && OLD_VERSIONS.has(min.text))
      this.#remarks.changed('ssl-min-ver', min.at, 'TLS 1.2 is the oldest that is spoken');
    const asked = verify !== undefined && verify.text !== 'none';
    return {
      certificates,
      minVersion: min?.text === 'TLSv1.3' ? '1.3' : undefined,
      ciphers: optionOf(options, 'ciphers'),
      clientCa: asked ? ca : undefined,
      clientAuth: asked
        ? { text: verify.text === 'optional' ? 'optional' : 'required', at: verify.at }
        : undefined,
    };
  }
}

function aclsIn({ defaults, lines }: Section): Acls {
  return aclsOf([...defaults, ...lines]);
}

function transportOf(binds: readonly Line[]): Transport {
  const secure = binds.filter(({ args }) => hasOption(args, 'ssl')).length;
  if (secure === 0) return binds.length === 0 ? 'both' : 'plain';
  return secure === binds.length ? 'tls' : 'both';
}

/** Whether nothing without TLS is served there. */
function isToTls({ targets }: Served): boolean {
  return targets.every(({ pool, policy }) => pool === undefined || policy.redirect !== undefined);
}
