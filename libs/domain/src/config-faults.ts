import { builtInPlugin } from './compression.ts';
import { pathPatternFault } from './path-table.ts';
import type { PoolSettings, RouteSettings, SharedSettings } from './settings.ts';
import { exceedsWhole, poolsNamedBy } from './traffic/arms.ts';

/** What is wrong between the parts of shared settings that are right by themselves, each as `path: sentence`. */
export function configFaults({ pools, backends, routes }: SharedSettings): string[] {
  const known = new Map(pools.map((pool) => [pool.id, pool]));
  return [
    ...twice('pools', pools, ({ id }) => id),
    ...twice('backends', backends, ({ id }) => id),
    ...twice('routes', routes, ({ id }) => id),
    ...twice('routes', routes, ({ host = '', path }) => `${host}${path}`),
    ...pools.flatMap(poolFaults),
    ...backends.flatMap(({ id, pool }) =>
      known.has(pool) ? [] : [`backends.${id}.pool: there is no pool ${pool}`],
    ),
    ...routes.flatMap((route) => routeFaults(route, known)),
  ];
}

function twice<T extends { readonly id: string }>(
  kind: string,
  parts: readonly T[],
  nameOf: (part: T) => string,
): string[] {
  const seen = new Set<string>();
  return parts.flatMap((part) => {
    const name = nameOf(part);
    if (seen.has(name)) return [`${kind}.${part.id}: ${name} is given twice`];
    seen.add(name);
    return [];
  });
}

function poolFaults({ id, strategy, strategyFile, tiers = [], reserve = 'none', sticky }: PoolSettings) {
  const faults = twice(
    `pools.${id}.tiers`,
    tiers.map(({ name }) => ({ id: name })),
    (tier) => tier.id,
  );
  if (strategy === 'custom' && strategyFile === undefined)
    faults.push(`pools.${id}.strategy: custom needs a strategy_file, which only a file can name`);
  if (reserve !== 'none' && tiers.length === 0)
    faults.push(`pools.${id}.reserve: there is nothing to reserve without tiers`);
  if (reserve === 'session' && sticky === undefined)
    faults.push(`pools.${id}.reserve: without sticky no request belongs to a session`);
  return faults;
}

/** Whether a route needs no pool: no request of it goes to a backend. */
export function sendsAllElsewhere({ traffic }: Pick<RouteSettings, 'traffic'>): boolean {
  return typeof traffic?.redirect === 'object';
}

/** What speaks against a route that names no pool. */
function withoutPool(route: RouteSettings): string[] {
  const at = `routes.${route.id}`;
  if (!sendsAllElsewhere(route))
    return [`${at}.pool: required, unless a redirect with a URL sends everybody elsewhere`];
  if (route.tier !== undefined) return [`${at}.tier: without a pool there are no tiers`];
  return poolsNamedBy(route).length > 0 ? [`${at}.pool: required, as the route names other pools`] : [];
}

function routeFaults(route: RouteSettings, pools: ReadonlyMap<string, PoolSettings>): string[] {
  const { id, path, split } = route;
  const at = `routes.${id}`;
  const fault =
    pathPatternFault(path) ?? (/[?]|\*(?!$)|[^/]\*$/.test(path) ? 'such as /login, /v1/* or /*' : undefined);
  const faults = fault === undefined ? [] : [`${at}.path: ${fault}`];
  if (route.pool === undefined) faults.push(...withoutPool(route));
  if (split !== undefined && exceedsWhole(split)) faults.push(`${at}.split: the shares are more than 100%`);
  for (const name of poolsNamedBy(route)) {
    const pool = pools.get(name);
    if (pool === undefined) faults.push(`${at}.pool: there is no pool ${name}`);
    else faults.push(...fitFaults(route, pool));
  }
  return faults;
}

/** What speaks against a pool for the requests of a route. */
function fitFaults({ id, tier, plugins }: RouteSettings, pool: PoolSettings): string[] {
  const at = `routes.${id}`;
  const faults: string[] = [];
  const barred = pool.proxyProtocol !== 'none' || pool.http2;
  if (barred && (plugins.length > 0 || tier?.field !== undefined))
    faults.push(
      `${at}: pool ${pool.id} is not reached through plugins, as it has a PROXY protocol or HTTP/2`,
    );
  for (const plugin of plugins) {
    const read = plugin.file === undefined ? builtInPlugin(plugin) : undefined;
    if (read !== undefined && 'message' in read)
      faults.push(`${at}.plugins.${plugin.name}.${read.key}: ${read.message}`);
  }
  const { tiers = [] } = pool;
  if (tier !== undefined && tiers.length === 0) faults.push(`${at}.tier: pool ${pool.id} has no tiers`);
  else if (tier?.default !== undefined && !tiers.some(({ name }) => name === tier.default))
    faults.push(`${at}.tier.default: pool ${pool.id} has no tier ${tier.default}`);
  return faults;
}
