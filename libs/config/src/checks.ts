import {
  type PoolSettings,
  poolsNamedBy,
  type RouteSettings,
  type SharedSettings,
  sendsAllElsewhere,
} from '@usher/domain';
import { checkAdmin, checkReachable } from './checks-admin.ts';
import { formatPlace } from './fault.ts';
import { namedPools } from './keys/arms.ts';
import { join, type Reading } from './reading.ts';
import type { Address, AdminSettings, HeliosSettings, LocalSettings, OpsenSettings } from './settings.ts';
import { suggest } from './suggest.ts';
import { formatAddress, isLoopback, overlaps } from './types/network.ts';

/** Finds what is wrong between values that are right by themselves. */
export function checkReferences(local: LocalSettings, shared: SharedSettings, reading: Reading): void {
  checkAddresses(local, reading);
  if (local.admin !== null) {
    checkUnique(local.admin.tokens, ['name'], (token) => token.name, reading);
    checkAdmin(local.admin, reading);
  }
  if (local.opsen !== undefined) checkOpsen(local.opsen, shared, reading);
  if (local.helios !== undefined) checkHelios(local.helios, local.admin, shared, reading);
  checkSharing(local, reading);
  checkUnique(shared.backends, ['id'], (backend) => backend.id, reading);
  checkUnique(shared.routes, ['id'], (route) => route.id, reading);
  checkUnique(shared.routes, ['path', 'host'], matchOf, reading);
  // Where the pools could not be read, every route would seem to name an unknown one.
  if (!reading.isFaulty('pools')) checkPools(shared, reading);
  for (const pool of shared.pools) checkTiers(pool, reading);
  for (const { endpoints = [] } of shared.backends)
    checkUnique(endpoints, ['path'], ({ path }) => path, reading);
}

function checkAddresses({ listen, admin, metrics, opsen, helios }: LocalSettings, reading: Reading): void {
  const addresses: Address[] = [...listen];
  if (admin !== null) addresses.push(admin);
  if (metrics !== null) addresses.push(metrics);
  if (opsen !== undefined) addresses.push(opsen);
  if (helios !== undefined) addresses.push(helios);
  for (const [index, address] of addresses.entries()) {
    const other = addresses.slice(0, index).find((earlier) => overlaps(address, earlier));
    if (other === undefined) continue;
    // A default does not collide with what was written; it is the other way round.
    const isDefault = reading.placeOf(address, 'address').kind === 'default';
    const [wrong, taken] = isDefault ? [other, address] : [address, other];
    const by = `${reading.pathOf(taken)} (${formatAddress(taken)}, ${formatPlace(reading.placeOf(taken, 'address'))})`;
    const key = reading.isWritten(wrong, 'address') ? 'address' : '';
    reading.complain(wrong, key, `${formatAddress(wrong)} is taken by ${by}`);
  }
}

/** Leases go with the log: schedulers that share a log and not their leases would all lead. */
function checkSharing(local: LocalSettings, reading: Reading): void {
  const { bus, store } = local;
  if (bus.type !== 'nats' || store.type !== 'embedded') return;
  const servers = Array.from(bus.servers, (_, index) => `bus.servers[${index}]`);
  if (['bus', 'bus.servers', ...servers, 'store'].some((path) => reading.isFaulty(path))) return;
  reading.complain(
    local,
    reading.isWritten(local, 'store') ? 'store' : 'bus',
    'the log is shared through NATS, but the store is in this process alone, so that every process would lead; give `store` the URL of a Redis server',
  );
}

/** It lets in whom the admin API lets in, so what keeps others out there has to be there. */
function checkHelios(
  helios: HeliosSettings,
  admin: AdminSettings | null,
  { pools }: SharedSettings,
  reading: Reading,
): void {
  if (admin === null) reading.complain(helios, '', 'who may call is told by `admin`, which is none');
  else if (!isLoopback(helios.host)) checkReachable(admin, reading, helios);
  if (reading.isFaulty('pools') || pools.some(({ id }) => id === helios.pool)) return;
  const ids = pools.map(({ id }) => id);
  reading.complain(
    helios,
    'pool',
    `there is no pool ${JSON.stringify(helios.pool)}`,
    suggest(helios.pool, ids),
  );
}

function checkOpsen(opsen: OpsenSettings, { pools }: SharedSettings, reading: Reading): void {
  const guarded = opsen.keys.length > 0 || reading.isFaulty(join(reading.pathOf(opsen), 'keys'));
  if (!guarded && !isLoopback(opsen.host)) {
    const reached = `${formatAddress(opsen)} can be reached from other machines, but there are no keys`;
    reading.complain(opsen, 'address', `${reached}; add keys or use 127.0.0.1`);
  }
  if (reading.isFaulty('pools')) return;
  const pool = pools.find(({ id }) => id === opsen.pool);
  const ids = pools.map(({ id }) => id);
  if (pool === undefined) {
    reading.complain(
      opsen,
      'pool',
      `there is no pool ${JSON.stringify(opsen.pool)}`,
      suggest(opsen.pool, ids),
    );
  } else if (!pool.agents) {
    reading.complain(
      opsen,
      'pool',
      `pool ${JSON.stringify(pool.id)} takes no agents; it needs \`agents: true\``,
    );
  }
}

/** `keys` are what the name is made of. Both places are told, because either may be the mistake. */
export function checkUnique<T extends object>(
  values: readonly T[],
  keys: readonly [string, ...string[]],
  nameOf: (value: T) => string,
  reading: Reading,
): void {
  const first = new Map<string, T>();
  for (const value of values) {
    // What stands in for a faulty name is no name.
    if (keys.some((key) => reading.isFaulty(join(reading.pathOf(value), key)))) continue;
    const name = nameOf(value);
    const other = first.get(name);
    if (other === undefined) {
      first.set(name, value);
      continue;
    }
    const where = `${reading.pathOf(other)}, ${formatPlace(reading.placeOf(other, keys[0]))}`;
    reading.complain(value, keys[0], `${JSON.stringify(name)} is given twice, first by ${where}`);
  }
}

function matchOf({ host, path }: RouteSettings): string {
  return `${host ?? ''}${path}`;
}

function checkTiers(pool: PoolSettings, reading: Reading): void {
  const { tiers = [], reserve } = pool;
  checkUnique(tiers, ['name'], (tier) => tier.name, reading);
  if (reserve === 'session' && tiers.length > 0 && pool.sticky === undefined) {
    const message = 'without sticky no request belongs to a session; add sticky, or reserve by request';
    reading.complain(pool, 'reserve', message);
  }
  if (reserve === 'none' || tiers.length > 0) return;
  if (reading.isFaulty(join(reading.pathOf(pool), 'tiers'))) return;
  reading.complain(
    pool,
    'reserve',
    'there is nothing to reserve without tiers; add tiers, or leave reserve out',
  );
}

/** A pool's tiers and what a route says of them go together. */
function checkTierOf({ tier }: RouteSettings, { id, tiers = [] }: PoolSettings, reading: Reading): void {
  if (tier === undefined) return;
  const names = tiers.map(({ name }) => name);
  if (names.length === 0) {
    reading.complain(tier, '', `pool ${JSON.stringify(id)} has no tiers that a request could name`);
  } else if (tier.default !== undefined && !names.includes(tier.default)) {
    const what = `pool ${JSON.stringify(id)} has no tier ${JSON.stringify(tier.default)}`;
    reading.complain(tier, 'default', what, suggest(tier.default, names));
  }
}

/** What keeps a pool's backends from being reached through plugins. */
function barrierToPlugins({ proxyProtocol, http2 }: PoolSettings): string | undefined {
  if (proxyProtocol !== 'none') return 'proxy_protocol';
  return http2 ? 'http2' : undefined;
}

function checkPools({ pools, routes }: SharedSettings, reading: Reading): void {
  const ids = pools.map((pool) => pool.id);
  for (const route of routes) {
    for (const { pool: name, by } of namedPools(route)) {
      const pool = pools.find(({ id }) => id === name);
      if (pool === undefined)
        reading.complain(by, 'pool', `there is no pool ${JSON.stringify(name)}`, suggest(name, ids));
      else checkFit(route, pool, reading);
    }
    if (route.pool === undefined) checkWithout(route, reading);
  }
}

/** What a route has to have that names no pool, and what makes no sense without one. */
function checkWithout(route: RouteSettings, reading: Reading): void {
  if (!sendsAllElsewhere(route))
    reading.complain(route, 'pool', 'required, unless a `redirect` with `to` sends everybody elsewhere');
  else if (route.tier !== undefined) reading.complain(route, 'tier', 'without a pool there are no tiers');
  else if (poolsNamedBy(route).length > 0)
    reading.complain(route, 'pool', 'required, as the route names other pools');
}

/** A pool and what a route does with its requests before they come there go together. */
function checkFit(route: RouteSettings, pool: PoolSettings, reading: Reading): void {
  const barrier = barrierToPlugins(pool);
  const byPlugins = route.plugins.length > 0;
  if (barrier !== undefined && (byPlugins || route.tier?.field !== undefined)) {
    reading.complain(
      route,
      byPlugins ? 'plugins' : 'tier',
      `pool ${JSON.stringify(pool.id)} has ${barrier}, which does not go through plugins`,
    );
  }
  checkTierOf(route, pool, reading);
}
