import { DEFAULT_PLACE } from '../fault.ts';
import type { Input, MapInput } from '../input/input.ts';
import { EVERY_HOST, formatAddress, parseAddress } from '../types/network.ts';
import { Refusal } from '../types/type.ts';
import { map, series, value } from './draft.ts';

/** The pools that lead from the traffic to servers of the process itself. */
export const METRICS_POOL = 'usher-metrics';
export const OPSEN_POOL = 'opsen-api';

/** By the keys that say where those servers are. */
const OWN_POOLS = [
  ['metrics', METRICS_POOL],
  ['opsen', OPSEN_POOL],
] as const;

/** A pool of one address of this process, which is there as long as the process is. */
export function ownPool(id: string, address: string): Input {
  return map({
    backends: series([map({ id: value(id), url: value(`http://${address}`) })]),
    health: map({ type: value('none') }),
    breaker: map({ enabled: value(false) }),
    retry: map({ attempts: value(0) }),
  });
}

/**
 * A translated file with what lies over it: where a flag or a variable moves a server of the process, the pool that leads there goes with
 * it, and where there is none any more, so do the routes. A pool that somebody wrote over as well stays as he wrote it.
 */
export function withOwnPools(root: Input): Input {
  return OWN_POOLS.reduce((followed, [section, pool]) => {
    const backends = at(followed, ['pools', pool, 'backends']);
    if (backends?.at.kind !== 'default') return followed;
    const written = at(followed, [section]);
    if (written?.kind === 'scalar' && written.text === 'none') return withoutRoutes(followed, pool);
    const url = urlOf(at(followed, [section, 'address']));
    if (url === undefined) return followed;
    return put(followed, ['pools', pool, 'backends'], series([map({ id: value(pool), url })], DEFAULT_PLACE));
  }, root);
}

/** Where the process reaches itself at an address that lies over the file. One that is none is told where it is read. */
function urlOf(address: Input | undefined): Input | undefined {
  if (address?.kind !== 'scalar' || address.at.kind !== 'override') return undefined;
  const parsed = parseAddress(address.text);
  if (parsed instanceof Refusal) return undefined;
  const { host, port } = parsed;
  return value(`http://${formatAddress({ host: REACHED[host] ?? host, port })}`, address.at);
}

function withoutRoutes(root: Input, pool: string): Input {
  const routes = at(root, ['routes']);
  if (routes?.kind !== 'list') return root;
  const items = routes.items.filter((route) => {
    const to = at(route, ['pool']);
    return to?.kind !== 'scalar' || to.text !== pool;
  });
  return put(root, ['routes'], { ...routes, items });
}

/** Where a process reaches itself that listens everywhere. */
const REACHED: Readonly<Record<string, string>> = { [EVERY_HOST]: '127.0.0.1', '::': '::1' };

function at(root: Input, path: readonly string[]): Input | undefined {
  let input: Input | undefined = root;
  for (const name of path) input = input?.kind === 'map' ? input.entries.get(name)?.value : undefined;
  return input;
}

function put(root: Input, [name, ...below]: readonly string[], input: Input): Input {
  if (name === undefined) return input;
  if (root.kind !== 'map') return root;
  const entry = root.entries.get(name);
  if (entry === undefined) return root;
  const entries = new Map(root.entries).set(name, { ...entry, value: put(entry.value, below, input) });
  return { ...root, entries } satisfies MapInput;
}
