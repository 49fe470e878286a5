import type { Place } from '../../fault.ts';
import type { Input } from '../../input/input.ts';
import { duration, map, series, unlessEmpty, value } from '../draft.ts';
import { Ids } from '../pieces.ts';
import type { Remarks } from '../remarks.ts';
import { tellOtherShares } from './differences.ts';
import { countOf, hasOption, linesOf, optionOf, type Section, timeOf } from './sections.ts';
import { tellLostOptions } from './server-options.ts';
import { healthOf, type Server, serverInput, serversOf, urlOf } from './servers.ts';

const RETRY_MAX = 10;

interface Made {
  readonly id: string;
  readonly section: Section;
  readonly settings: Input;
}

/** Turns the sections with servers into pools. */
export class Backends {
  readonly #remarks: Remarks;
  readonly #pools = new Map<string, Made>();

  constructor(sections: readonly Section[], remarks: Remarks) {
    this.#remarks = remarks;
    const poolIds = new Ids();
    const names = sections.flatMap((section) => serversOf(section).map(({ name }) => name.text));
    const ids = new Ids();
    for (const section of sections) {
      const pool = poolIds.derive(section.name);
      // A name that several sections have for a server is no id.
      const idOf = ({ name }: Server) =>
        ids.derive(
          names.filter((other) => other === name.text).length > 1 ? `${pool}-${name.text}` : name.text,
        );
      this.#pools.set(section.name, { id: pool, section, settings: this.#pool(section, idOf) });
    }
  }

  /** A section by its name, and the id of the pool that it has become. */
  find(name: string): { readonly id: string; readonly section: Section } | undefined {
    return this.#pools.get(name);
  }

  pools(): Input | undefined {
    return unlessEmpty(
      map(Object.fromEntries(Array.from(this.#pools.values(), ({ id, settings }) => [id, settings]))),
    );
  }

  #pool(section: Section, idOf: (server: Server) => string): Input {
    const servers = serversOf(section);
    const backends = servers.flatMap((server) => {
      const url = urlOf(server, this.#remarks);
      return url === undefined ? [] : [serverInput(server, idOf(server), url, this.#remarks)];
    });
    for (const { options } of servers) tellLostOptions(options, this.#remarks);
    tellOtherShares(servers, this.#remarks);
    const { strategy, hash } = this.#balance(section, servers);
    return map(
      {
        strategy,
        hash,
        slow_start: timeOption(servers, 'slowstart', this.#remarks),
        backends: series(backends, section.at),
        sticky: this.#sticky(section),
        health: healthOf(section, servers, this.#remarks),
        retry: retry(section, this.#remarks),
        tls: tls(servers),
        queue: queue(section, this.#remarks),
        proxy_protocol: proxyProtocol(servers),
        http2: http2(servers),
      },
      section.at,
    );
  }

  #balance(
    section: Section,
    servers: readonly Server[],
  ): { readonly strategy: Input; readonly hash?: Input } {
    const [line] = linesOf(section, 'balance');
    const inTurn = servers.some(({ options }) => options.has('weight'))
      ? 'weighted_round_robin'
      : 'round_robin';
    if (line === undefined) return { strategy: value(inTurn) };
    const { at } = line;
    const word = line.args[0]?.text ?? '';
    const [type] = linesOf(section, 'hash-type', 'consistent');
    const header = /^hdr\(([^)]+)\)$/.exec(word)?.[1];
    const hashed = (parts: Record<string, Input>) => ({
      strategy: value('consistent_hash', at),
      hash: map(parts),
    });
    if (header !== undefined) return hashed({ by: value('header', at), name: value(header, at) });
    if (word === 'uri') return hashed({ by: value('path', at) });
    if (word === 'source')
      return type === undefined ? { strategy: value('ip_hash', at) } : hashed({ by: value('ip', at) });
    if (word === 'leastconn') return { strategy: value('least_connections', at) };
    // Without a number it draws two and takes the less loaded one, as `random(2)` does.
    if (word === 'random' || word.startsWith('random('))
      return { strategy: value(word === 'random(1)' ? 'random' : 'p2c', at) };
    if (!['roundrobin', 'static-rr'].includes(word))
      this.#remarks.changed('balance', at, `there is no such strategy; backends take turns`);
    return { strategy: value(inTurn, at) };
  }

  #sticky(section: Section): Input | undefined {
    const [cookie] = linesOf(section, 'cookie');
    if (cookie !== undefined) return this.#cookie(cookie.args, cookie.at);
    const [stick] = linesOf(section, 'stick', 'on');
    if (stick === undefined) return undefined;
    const [table] = linesOf(section, 'stick-table');
    const expire = optionOf(table?.args ?? [], 'expire');
    const ms = timeOf(expire, 'expire', this.#remarks);
    const life = ms === undefined ? undefined : value(duration(ms), expire?.at);
    const what = stick.args[1]?.text ?? '';
    const header = /^(?:req\.)?hdr\(([^)]+)\)$/.exec(what)?.[1];
    const times = { ttl: life === undefined ? undefined : value('8760h'), idle: life };
    if (header !== undefined)
      return map({ by: value('header', stick.at), name: value(header, stick.at), ...times });
    if (what === 'src') return map({ by: value('ip', stick.at), ...times });
    this.#remarks.lost('stick on', stick.at, 'clients are known by a cookie, a header or their address');
    return undefined;
  }

  #cookie(args: Section['lines'][number]['args'], at: Place): Input | undefined {
    const [name] = args;
    if (name === undefined || !hasOption(args, 'insert')) {
      this.#remarks.lost('cookie', at, 'only cookies that the balancer inserts are known');
      return undefined;
    }
    const [idle, life, domain] = ['maxidle', 'maxlife', 'domain'].map((option) => optionOf(args, option));
    const [idleMs, lifeMs] = [timeOf(idle, 'maxidle', this.#remarks), timeOf(life, 'maxlife', this.#remarks)];
    return map(
      {
        by: value('cookie', at),
        name: value(name.text, name.at),
        ttl: lifeMs === undefined ? undefined : value(duration(lifeMs), life?.at),
        idle: idleMs === undefined ? undefined : value(duration(idleMs), idle?.at),
        domain: domain === undefined ? undefined : value(domain.text.replace(/^\./, ''), domain.at),
      },
      at,
    );
  }
}

function timeOption(servers: readonly Server[], name: string, remarks: Remarks): Input | undefined {
  const word = servers.map(({ options }) => options.get(name)?.value).find((found) => found !== undefined);
  const ms = timeOf(word, name, remarks);
  return word === undefined || ms === undefined ? undefined : value(duration(ms), word.at);
}

function retry(section: Section, remarks: Remarks): Input | undefined {
  const [line] = linesOf(section, 'retries');
  const attempts = countOf(line?.args[0], 'retries', remarks);
  return attempts === undefined
    ? undefined
    : map({ attempts: value(Math.min(attempts, RETRY_MAX), line?.at) });
}

/** HAProxy does not check certificates of backends unless it is told to. */
function tls(servers: readonly Server[]): Input | undefined {
  const secure = servers.find(({ options }) => options.has('ssl'));
  if (secure === undefined) return undefined;
  const [verify, ca] = [secure.options.get('verify')?.value, secure.options.get('ca-file')?.value];
  const checked = verify?.text === 'required' || (verify === undefined && ca !== undefined);
  return map({
    verify: value(checked, verify?.at ?? secure.name.at),
    ca: checked && ca !== undefined && ca.text !== '@system-ca' ? value(ca.text, ca.at) : undefined,
  });
}

function queue(section: Section, remarks: Remarks): Input | undefined {
  const [line] = linesOf(section, 'timeout', 'queue');
  const ms = timeOf(line?.args[1], 'timeout queue', remarks);
  return ms === undefined ? undefined : map({ timeout: value(duration(ms), line?.at) });
}

function proxyProtocol(servers: readonly Server[]): Input | undefined {
  for (const { options } of servers) {
    const word = (options.get('send-proxy') ?? options.get('send-proxy-v2'))?.word;
    if (word !== undefined) return value(word.text === 'send-proxy' ? 'v1' : 'v2', word.at);
  }
  return undefined;
}

function http2(servers: readonly Server[]): Input | undefined {
  const word = servers
    .map(({ options }) => options.get('proto')?.value)
    .find((found) => found?.text === 'h2');
  return word === undefined ? undefined : value(true, word.at);
}
