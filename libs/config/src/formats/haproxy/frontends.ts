import type { Place } from '../../fault.ts';
import type { Input } from '../../input/input.ts';
import { map, series, value } from '../draft.ts';
import { ListenerList, type ListenerTls } from '../listener-list.ts';
import type { Remarks } from '../remarks.ts';
import { RouteList } from '../route-list.ts';
import type { Backends } from './backends.ts';
import { aclsOf, parseCondition } from './conditions.ts';
import { hasOption, type Line, linesOf, optionOf, type Section, type Word } from './sections.ts';

const OLD_VERSIONS = new Set(['SSLv3', 'TLSv1.0', 'TLSv1.1']);

/** Turns the sections with addresses into listeners and routes. */
export class Frontends {
  readonly #backends: Backends;
  readonly #remarks: Remarks;
  readonly #listeners: ListenerList;
  readonly #routes: RouteList;

  constructor(backends: Backends, remarks: Remarks) {
    this.#backends = backends;
    this.#remarks = remarks;
    this.#listeners = new ListenerList(remarks);
    this.#routes = new RouteList(remarks);
  }

  add(section: Section): void {
    for (const line of section.lines.filter(({ keyword }) => keyword === 'bind')) this.#bind(line);
    const acls = aclsOf([...section.defaults, ...section.lines]);
    const plugins = pluginsOf(section);
    for (const line of section.lines.filter(({ keyword }) => keyword === 'use_backend'))
      this.#useBackend(line, acls, plugins);
    const [fallback] = linesOf(section, 'default_backend');
    const name = fallback?.args[0]?.text ?? (section.kind === 'listen' ? section.name : undefined);
    if (name === undefined) return;
    const pool = this.#backends.idOf(name);
    const at = fallback?.at ?? section.at;
    if (pool !== undefined) this.#routes.add(undefined, '/*', pool, at, { plugins });
    else this.#remarks.lost('default_backend', at, `there is no backend ${JSON.stringify(name)}`);
  }

  listen(): Input | undefined {
    return this.#listeners.list();
  }

  routes(): Input | undefined {
    return this.#routes.list();
  }

  #useBackend({ args, at }: Line, acls: ReturnType<typeof aclsOf>, plugins: Input | undefined): void {
    const [name, word, ...condition] = args;
    const pool = this.#backends.idOf(name?.text ?? '');
    if (pool === undefined) {
      this.#remarks.lost('use_backend', at, `there is no backend ${JSON.stringify(name?.text ?? '')}`);
      return;
    }
    const matches =
      word === undefined ? [{}] : word.text === 'if' ? parseCondition(condition, acls) : undefined;
    if (matches === undefined) {
      this.#remarks.lost('use_backend', at, 'its condition is not one of host and path');
      return;
    }
    for (const { host, path = '/*' } of matches) this.#routes.add(host, path, pool, at, { plugins });
  }

  #bind({ args, at }: Line): void {
    const [addresses, ...options] = args;
    if (addresses === undefined) return;
    const tls = hasOption(options, 'ssl') ? this.#tls(options, at) : undefined;
    for (const written of addresses.text.split(',')) {
      const match = /^(?:ipv[46]@)?(\[[0-9A-Fa-f:.]*\]|[A-Za-z0-9._-]*|\*|::):([0-9]{1,5})$/.exec(written);
      if (match === null) {
        this.#remarks.lost('bind', addresses.at, 'listeners have an address and one port');
        continue;
      }
      const [, host = '', port = ''] = match;
      this.#listeners.add({
        host: host === '' || host === '*' ? '0.0.0.0' : host === '::' ? '[::]' : host,
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

function pluginsOf(section: Section): Input | undefined {
  const [line] = linesOf(section, 'compression', 'algo');
  const gzip = line?.args.find(({ text }) => text === 'gzip');
  return gzip === undefined ? undefined : series([map({ name: value('gzip', gzip.at) })]);
}
