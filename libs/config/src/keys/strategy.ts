import { resolve } from 'node:path';
import type { HashSettings, StrategyName } from '@usher/domain';
import { STRATEGY_NAMES } from '@usher/domain';
import type { Reading } from '../reading.ts';
import { mapped } from '../types/collections.ts';
import { fieldName, filePath } from '../types/names.ts';
import { oneOf } from '../types/scalar.ts';
import { defaulted, optional, section } from '../types/section.ts';
import type { Type } from '../types/type.ts';
import { duration } from '../types/units.ts';

const hashKeys = section({
  by: defaulted('ip', {
    to: 'by',
    type: oneOf(['ip', 'header', 'cookie', 'path']),
    doc: '`ip`: the address of the client, as told by `trusted_proxies` in X-Forwarded-For; `header` and `cookie`: the value of the one with that `name`, and without one the address of the client; `path`: the path without the query.',
  }),
  name: optional('must be given for `header` and `cookie`', {
    to: 'name',
    type: fieldName,
    doc: 'Name of the header, in any case, or of the cookie.',
  }),
});

const hash: Type<HashSettings> = mapped(hashKeys, (given, _path, reading): HashSettings => {
  const { by, name } = given;
  if (by === 'ip' || by === 'path') {
    if (name !== undefined) reading.complain(given, 'name', `has no meaning when by is ${by}`);
    return { by };
  }
  if (name === undefined) reading.complain(given, 'by', `this needs name: which ${by}?`);
  return { by, name: by === 'header' ? (name ?? '').toLowerCase() : (name ?? '') };
});

/** The keys of a pool that say how one of its backends is chosen. */
export const strategyKeys = {
  strategy: defaulted('p2c', {
    to: 'strategy',
    type: oneOf(STRATEGY_NAMES),
    doc: 'How a backend is chosen. In turn: `round_robin`, by weight `weighted_round_robin`. By chance and weight: `random`. By load: the one with the fewest requests in progress for its weight (`least_connections`), or the less loaded of two taken at random (`p2c`). By speed: the one with the shortest time to a response, times the requests in progress (`least_response_time`), or the better of two taken at random, where a slow response counts at once (`peak_ewma`); 429, statuses from 500 on and failures count as very slow. By a part of the request, see `hash`, so that the same goes to the same backend: `ip_hash` by the address of the client, `consistent_hash` as long as the backend has no more than 1.25 times its part of the requests in progress, `maglev` with the most even shares. By what agents report: the one with the least sum of load, latency and distance among those that have what the tier of the request needs (`resource`, see `tiers` and `scoring`). `custom`: your own, see `strategy_file`.',
    why: '`p2c` avoids loaded backends and, unlike the minimum, does not send every gateway to the same one.',
  }),
  strategy_file: optional('must be given for `custom`', {
    to: 'strategyFile',
    type: filePath,
    doc: 'Module whose default export is a strategy of your own: a pure function of the backends that may be chosen (each with `id`, `weight`, `inFlight` and `latencyMs`) and of `{ key, random }` (the hash of the part of the request that `hash` names, and a source of chance) that answers with one of the backends. A relative path starts at the folder of the configuration file; every gateway reads it on its own machine when it starts. `p2c` stands in when it cannot be loaded or fails.',
  }),
  hash: defaulted(
    {},
    {
      to: 'hash',
      type: hash,
      doc: 'Which part of a request `consistent_hash`, `maglev` and `custom` go by.',
    },
  ),
  slow_start: defaulted('0s', {
    to: 'slowStartMs',
    type: duration({ min: '100ms', max: '24h', zero: 'all of its share at once' }),
    doc: 'How long a backend that has just become eligible gets less than its share: a tenth of its weight at first, then more and more in a straight line. It has no effect on `round_robin`, `ip_hash` and `maglev`; with `consistent_hash` the backend is considered full earlier.',
    why: 'Off, because only backends that have to warm up (caches, compilers, pools of connections) gain by it.',
  }),
};

interface Choice {
  readonly strategy: StrategyName;
  readonly strategyFile?: string | undefined;
}

/** Finds the file of a strategy of one's own, and says so when there is one too many or too few. */
export function resolveStrategy(given: Choice, reading: Reading): { readonly strategyFile?: string } {
  const { strategy, strategyFile } = given;
  if (strategyFile === undefined) {
    if (strategy === 'custom') reading.complain(given, 'strategy', 'this needs strategy_file');
    return {};
  }
  const { folder, disk } = reading.surroundings;
  const file = resolve(folder, strategyFile);
  if (!disk.isFile(file)) reading.complain(given, 'strategy_file', `there is no such file: ${file}`);
  return { strategyFile: file };
}
