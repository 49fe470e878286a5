import type { Input } from '../../input/input.ts';
import { Refusal } from '../../types/type.ts';
import { map, value } from '../draft.ts';
import type { Grammar } from '../formats.ts';
import { Globals } from '../globals.ts';
import { networkOf } from '../ip-lists.ts';
import type { Remarks } from '../remarks.ts';
import { type Directive, parseDirectives } from './directives.ts';
import { mayGuard } from './guards.ts';
import { rateLimitIn } from './rate-limits.ts';
import { Routes } from './routes.ts';
import { isKnown, remarkOnLost } from './scopes.ts';
import { bytes, count, time } from './units.ts';
import { Upstreams } from './upstreams.ts';

/** The blocks that only files of nginx have. */
const BLOCKS = /^\s*(?:http|events|stream|server|upstream\s+\S+)\s*(?:#[^\n]*\n\s*)?\{/m;
const WORKERS_MAX = 256;

export const nginx: Grammar = {
  name: 'nginx',
  title: 'nginx',
  sniff: (text) => BLOCKS.test(text),
  translate(text, placeAt, remarks) {
    const root = parseDirectives(text, placeAt, remarks);
    const http = root.filter(({ name }) => name === 'http').flatMap(({ block = [] }) => block);
    const scope = [...root, ...http];
    const made = new Upstreams(scope, remarks);
    const globals = new Globals(remarks);
    collect(scope, 'http', globals, remarks);
    const routes = new Routes(made, scope, remarks);
    const [listen, routed] = routes.translate();
    if (routed === undefined && made.isEmpty)
      remarks.fault('', placeAt(1, 1), 'there is no server and no upstream that could be translated');
    return map(
      {
        listen,
        workers: workers(root),
        trusted_proxies: trustedProxies(scope, remarks),
        timeouts: globals.section('timeouts'),
        limits: globals.section('limits'),
        rate_limit: rateLimitIn(scope, scope, remarks),
        pools: made.pools(),
        routes: routed,
      },
      placeAt(1, 1),
    );
  },
};

function workers(root: readonly Directive[]): Input | undefined {
  const word = root.find(({ name }) => name === 'worker_processes')?.args[0];
  if (word === undefined) return undefined;
  if (word.text === 'auto') return value('auto', word.at);
  return value(Math.min(Math.max(count(word.text) ?? 1, 1), WORKERS_MAX), word.at);
}

function trustedProxies(scope: readonly Directive[], remarks: Remarks): Input | undefined {
  const items: Input[] = [];
  for (const { name, args, at } of everything(scope)) {
    if (name !== 'set_real_ip_from') continue;
    const network = networkOf(args[0]?.text ?? '');
    if (network instanceof Refusal) remarks.lost(name, at, network.message);
    else items.push(value(network, at));
  }
  return items.length === 0 ? undefined : { kind: 'list', items, at: items[0]!.at };
}

function everything(scope: readonly Directive[]): Directive[] {
  const all: Directive[] = [];
  const queue = [scope];
  for (let block = queue.pop(); block !== undefined; block = queue.pop()) {
    for (const directive of block) {
      all.push(directive);
      if (directive.block !== undefined && directive.name !== 'http') queue.push(directive.block);
    }
  }
  return all;
}

const TIMES = {
  proxy_connect_timeout: 'connect',
  grpc_connect_timeout: 'connect',
  proxy_read_timeout: 'response',
  grpc_read_timeout: 'response',
  client_header_timeout: 'request_header',
  client_body_timeout: 'body_idle',
  send_timeout: 'body_idle',
  keepalive_timeout: 'idle',
} as const;

/** What Usher has once for all, wherever it stands, and a word about everything that is not known. */
function collect(scope: readonly Directive[], where: string, globals: Globals, remarks: Remarks): void {
  const queue: { readonly block: readonly Directive[]; readonly where: string }[] = [{ block: scope, where }];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    for (const directive of next.block) {
      if (next.where !== 'upstream') setting(directive, globals, remarks);
      if (isKnown(directive)) remarkOnLost(directive, remarks);
      else remarks.lost(directive.name, directive.at, 'Usher has nothing for it');
      const { name, block } = directive;
      if (mayGuard(directive) && ['server', 'location'].includes(next.where))
        remarks.open(name, directive.at, 'whom the file that it names keeps out of here gets in');
      if (block !== undefined && ['server', 'location', 'upstream'].includes(name))
        queue.push({ block, where: name });
    }
  }
}

function setting({ name, args, at }: Directive, globals: Globals, remarks: Remarks): void {
  const [first] = args;
  if (first === undefined) return;
  const wrong = () => remarks.fault(name, first.at, 'this is not a value that nginx would take');
  if (Object.hasOwn(TIMES, name)) {
    const ms = time(first.text);
    if (ms === undefined) wrong();
    else if (ms > 0) globals.add(TIMES[name as keyof typeof TIMES], ms, at, name);
    else remarks.lost(name, at, 'without a limit is not possible');
  } else if (name === 'client_max_body_size') {
    const size = bytes(first.text);
    if (size === undefined) wrong();
    else globals.add('request_body', size, at, name);
  } else if (name === 'keepalive_requests') {
    const requests = count(first.text);
    if (requests === undefined) wrong();
    else globals.add('requests_per_connection', requests, at, name);
  }
}
