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
 * it. A pool that somebody wrote over as well stays as he wrote it.
 */
export function withOwnPools(root: Input): Input {
  let followed = root;
  for (const [section, pool] of OWN_POOLS) {
    const address = at(root, [section, 'address']);
    const backends = at(root, ['pools', pool, 'backends']);
    if (address?.kind !== 'scalar' || address.at.kind !== 'override' || backends?.at.kind !== 'default')
      continue;
    const parsed = parseAddress(address.text);
    if (parsed instanceof Refusal) continue;
    const { host, port } = parsed;
    const url = `http://${formatAddress({ host: REACHED[host] ?? host, port })}`;
    const moved = series([map({ id: value(pool), url: value(url, address.at) })], DEFAULT_PLACE);
    followed = put(followed, ['pools', pool, 'backends'], moved);
  }
  return followed;
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
