import type { Place } from '../../fault.ts';
import type { Input } from '../../input/input.ts';
import { duration, map, series, unlessEmpty, value } from '../draft.ts';
import { Ids } from '../pieces.ts';
import type { Remarks } from '../remarks.ts';
import type { Directive } from './directives.ts';
import { measured, parameter, tellLostParameters } from './parameters.ts';
import { inForce, type Scopes, wordOf } from './scopes.ts';
import { balancing } from './strategies.ts';
import { count, time } from './units.ts';

const RETRY_MAX = 10;

/** Of a server; with why, where nothing stands for one. */
const SERVER_PARAMETERS: Readonly<Record<string, string | undefined>> = {
  weight: undefined,
  max_conns: undefined,
  max_fails: undefined,
  fail_timeout: undefined,
  slow_start: undefined,
  backup: undefined,
  down: undefined,
  // Usher looks a name up whenever it connects.
  resolve: undefined,
  route: 'clients are kept at their backend by its id',
  drain: 'requests are still sent to it; `usher drain` lets it finish',
  service: 'records of the kind SRV are looked up by `discovery`',
};
const PROBE_PARAMETERS: Readonly<Record<string, string | undefined>> = {
  interval: undefined,
  fails: undefined,
  passes: undefined,
  uri: undefined,
  jitter: 'probes are spread by themselves',
  port: 'backends are probed where requests go',
  type: 'probes of gRPC are the `health` of the type `grpc`',
  match: 'write `expect_status` and `expect_body` of the `health`',
  mandatory: 'who is new gets requests once a probe has succeeded',
  persistent: 'what is known of a backend is kept anyway',
  keepalive_time: 'each probe has its own connection',
};

/** What a location asks of the pool that it sends requests to. */
export interface Demand {
  readonly url: string;
  readonly at: Place;
  /** From the location outwards. */
  readonly scopes: Scopes;
  readonly http2: boolean;
}

interface Made {
  readonly id: string;
  readonly settings: Input;
}

/** Turns upstreams, and hosts that are named in their place, into pools. */
export class Upstreams {
  readonly #declared: ReadonlyMap<string, Directive>;
  readonly #remarks: Remarks;
  readonly #poolIds = new Ids();
  readonly #backendIds = new Ids();
  /** By scheme and host. */
  readonly #made = new Map<string, Made>();

  constructor(http: readonly Directive[], remarks: Remarks) {
    this.#remarks = remarks;
    const upstreams = http.filter(({ name }) => name === 'upstream');
    this.#declared = new Map(upstreams.map((directive) => [directive.args[0]?.text ?? '', directive]));
  }

  get isEmpty(): boolean {
    return this.#declared.size === 0 && this.#made.size === 0;
  }

  /** The id of the pool for a `proxy_pass`; undefined when it names none that can be. */
  poolFor(demand: Demand): string | undefined {
    const match = /^(https?|grpcs?):\/\/([^/$?#]+)([^$?#]*)$/i.exec(demand.url);
    if (match === null) return undefined;
    const [, written = '', host = ''] = match;
    const secure = ['https', 'grpcs'].includes(written.toLowerCase());
    const key = `${secure}${host}`;
    const made = this.#made.get(key) ?? this.#make(host, secure, demand);
    if (made === undefined) return undefined;
    this.#made.set(key, made);
    return made.id;
  }

  /** The pool of what must not be reached: it has no backends, so its requests are answered with 503. */
  closed(at: Place): string {
    const key = 'closed';
    const made = this.#made.get(key) ?? {
      id: this.#poolIds.derive(key),
      settings: map({ backends: series([]), health: map({ type: value('none') }) }, at),
    };
    this.#made.set(key, made);
    return made.id;
  }

  /** All pools, those that no location names too. */
  pools(): Input | undefined {
    for (const [name, { at }] of this.#declared) {
      if (this.#made.has(`false${name}`) || this.#made.has(`true${name}`)) continue;
      this.poolFor({ url: `http://${name}`, at, scopes: [], http2: false });
    }
    const made = [...this.#made.values()];
    return unlessEmpty(map(Object.fromEntries(made.map(({ id, settings }) => [id, settings]))));
  }

  #make(host: string, secure: boolean, demand: Demand): Made | undefined {
    const upstream = this.#declared.get(host);
    const scheme = secure ? 'https' : 'http';
    const settings =
      upstream === undefined ? this.#single(host, scheme, demand) : this.#group(upstream, scheme, demand);
    return settings === undefined ? undefined : { id: this.#poolIds.derive(host), settings };
  }

  #single(host: string, scheme: string, demand: Demand): Input | undefined {
    const backend = this.#backend(host, scheme, demand.at);
    if (backend === undefined) return undefined;
    return map({ backends: series([map(backend)]), ...this.#demanded(demand, scheme) }, demand.at);
  }

  #group(upstream: Directive, scheme: string, demand: Demand): Input {
    const block = upstream.block ?? [];
    const servers = block.filter(({ name }) => name === 'server');
    const backends = servers.flatMap((server) => this.#server(server, scheme));
    const weighted = servers.some((server) => parameter(server, 'weight') !== undefined);
    const { strategy, hash, sticky } = balancing(block, weighted, this.#remarks);
    return map(
      {
        strategy,
        hash,
        slow_start: slowStart(servers, this.#remarks),
        backends: series(backends, upstream.at),
        sticky,
        breaker: this.#breaker(servers),
        ...this.#demanded(demand, scheme),
      },
      upstream.at,
    );
  }

  #server(server: Directive, scheme: string): Input[] {
    const [address, ...options] = server.args;
    if (address === undefined) return [];
    const backend = this.#backend(address.text, scheme, address.at);
    if (backend === undefined) return [];
    tellLostParameters(options, SERVER_PARAMETERS, this.#remarks);
    const spare = options.find(({ text }) => text === 'backup' || text === 'down');
    if (spare !== undefined) {
      const message =
        'there are no spare backends: it has weight 0 and is never chosen, until `usher weight` gives it one';
      this.#remarks.changed(spare.text, spare.at, message);
    }
    const number = (name: string) => {
      const amount = measured(server, name, count, this.#remarks);
      return amount === undefined ? undefined : value(amount, server.at);
    };
    const weight = number('weight');
    return [
      map(
        {
          ...backend,
          weight: spare === undefined ? weight : value(0, spare.at),
          max_connections: number('max_conns'),
        },
        server.at,
      ),
    ];
  }

  #backend(address: string, scheme: string, at: Place): Record<string, Input> | undefined {
    const url = URL.parse(`${scheme}://${address}`);
    if (url === null || address.startsWith('unix:') || url.pathname !== '/') {
      this.#remarks.lost('server', at, 'backends are reached by host and port only');
      return undefined;
    }
    return { id: value(this.#backendIds.derive(address), at), url: value(url.origin, at) };
  }

  /** Of several servers one counts, because a pool has one breaker. */
  #breaker(servers: readonly Directive[]): Input | undefined {
    const server = servers.find(
      (one) => (parameter(one, 'max_fails') ?? parameter(one, 'fail_timeout')) !== undefined,
    );
    if (server === undefined) return undefined;
    const fails = measured(server, 'max_fails', count, this.#remarks) ?? 1;
    const ms = measured(server, 'fail_timeout', time, this.#remarks) ?? 10_000;
    const differs = servers.some((one) =>
      ['max_fails', 'fail_timeout'].some((name) => parameter(one, name) !== parameter(server, name)),
    );
    if (differs)
      this.#remarks.changed('max_fails', server.at, 'all backends of a pool have the breaker of this one');
    if (fails === 0) return map({ enabled: value(false, server.at) });
    const span = value(duration(ms), server.at);
    const one = value(1, server.at);
    return map({
      failures: value(fails, server.at),
      window: span,
      open_for: span,
      half_open_requests: one,
      successes: one,
    });
  }

  #demanded({ scopes, http2 }: Demand, scheme: string): Record<string, Input | undefined> {
    return {
      http2: http2 ? value(true) : undefined,
      health: health(scopes, this.#remarks),
      retry: retry(scopes),
      tls: scheme === 'https' ? tls(scopes) : undefined,
    };
  }
}

function slowStart(servers: readonly Directive[], remarks: Remarks): Input | undefined {
  const server = servers.find((one) => parameter(one, 'slow_start') !== undefined);
  const ms = measured(server, 'slow_start', time, remarks);
  if (server === undefined || ms === undefined) return undefined;
  const others = servers.filter((one) => parameter(one, 'slow_start') !== parameter(server, 'slow_start'));
  for (const { at } of others)
    remarks.changed('slow_start', at, `all backends of a pool have that of ${server.args[0]?.text}`);
  return value(duration(ms), server.at);
}

function health(scopes: Scopes, remarks: Remarks): Input | undefined {
  const [check] = inForce('health_check', scopes);
  if (check === undefined) return undefined;
  tellLostParameters(check.args, PROBE_PARAMETERS, remarks);
  const interval = measured(check, 'interval', time, remarks) ?? 5000;
  return map(
    {
      type: value('http'),
      path: value(parameter(check, 'uri') ?? '/', check.at),
      interval: value(duration(interval), check.at),
      fall: value(measured(check, 'fails', count, remarks) ?? 1, check.at),
      rise: value(measured(check, 'passes', count, remarks) ?? 1, check.at),
    },
    check.at,
  );
}

function retry(scopes: Scopes): Input | undefined {
  const off = wordOf('proxy_next_upstream', scopes);
  if (off?.text === 'off') return map({ attempts: value(0, off.at) });
  const tries = wordOf('proxy_next_upstream_tries', scopes);
  const attempts = tries === undefined ? undefined : count(tries.text);
  // 0 is any number of tries.
  if (tries === undefined || attempts === undefined || attempts === 0) return undefined;
  return map({ attempts: value(Math.min(attempts - 1, RETRY_MAX), tries.at) });
}

/** nginx does not check certificates of backends unless it is told to. */
function tls(scopes: Scopes): Input {
  const [verify, ca, name] = [
    wordOf('proxy_ssl_verify', scopes),
    wordOf('proxy_ssl_trusted_certificate', scopes),
    wordOf('proxy_ssl_name', scopes),
  ];
  const checked = verify?.text === 'on';
  return map({
    verify: value(checked, verify?.at),
    ca: checked && ca !== undefined ? value(ca.text, ca.at) : undefined,
    server_name: name === undefined || name.text.includes('$') ? undefined : value(name.text, name.at),
  });
}
