import {
  canonicalJson,
  defaultPool,
  defaultRoute,
  type FleetState,
  type PoolSettings,
  poolsNamedBy,
  type RouteSettings,
  type SharedSettings,
  sharedSettingsOf,
  UsherError,
} from '@usher/domain';
import { type CommandOf, type EventDraft, limitSettings, poolSettings, routeSettings } from '@usher/events';
import { assertAllowed, assertSound, inheritedTargets } from './assert-allowed.ts';
import { changePool } from './decide-config.ts';

/** What commands make of pools, routes and limits. All throw UsherError as `decideCommand` does. */

export function addPool(state: FleetState, { data }: CommandOf<'pool.add'>): EventDraft[] {
  const { id } = data.settings;
  if (state.pools.has(id)) throw new UsherError('conflict', `pool ${id} exists already`);
  const shared = present(state);
  const usual = { ...defaultPool(id), targets: inheritedTargets(shared.pools) };
  const settings = checked(poolSettings, merged(usual, data.settings));
  assertSound(shared, { ...shared, pools: [...shared.pools, settings] });
  return [{ type: 'pool.added', subject: id, data: { settings, origin: 'command' } }];
}

export function updatePool(state: FleetState, id: string, changes: object): EventDraft[] {
  const pool = state.pools.get(id);
  if (pool === undefined) throw new UsherError('not_found', `there is no pool ${id}`);
  const settings = checked(poolSettings, merged(pool.settings, changes));
  if (canonicalJson(settings) === canonicalJson(pool.settings)) return [];
  const shared = present(state);
  assertSound(shared, { ...shared, pools: replaced<PoolSettings>(shared.pools, settings) });
  return changePool(state, pool.settings, settings, {});
}

export function removePool(state: FleetState, id: string): EventDraft[] {
  if (!state.pools.has(id)) throw new UsherError('not_found', `there is no pool ${id}`);
  const backends = [...state.backends.values()].filter(({ settings }) => settings.pool === id);
  const routes = present(state).routes.filter((route) => poolsNamedBy(route).includes(id));
  const users = [
    ...backends.map(({ settings }) => `backend ${settings.id}`),
    ...routes.map((route) => `route ${route.id}`),
  ];
  if (users.length > 0) throw new UsherError('conflict', `pool ${id} still has ${users.join(', ')}`);
  const shared = present(state);
  assertAllowed(shared, { ...shared, pools: shared.pools.filter((pool) => pool.id !== id) });
  return [{ type: 'pool.removed', subject: id, data: { pool: id } }];
}

export function addRoute(state: FleetState, { data }: CommandOf<'route.add'>): EventDraft[] {
  const { id, path, pool } = data.settings;
  const shared = present(state);
  if (shared.routes.some((route) => route.id === id))
    throw new UsherError('conflict', `route ${id} exists already`);
  const settings = checked(routeSettings, merged(defaultRoute(id, path, pool), data.settings));
  assertSound(shared, { ...shared, routes: [...shared.routes, settings] });
  return [{ type: 'route.added', subject: 'fleet', data: { settings } }];
}

export function updateRoute(state: FleetState, { data }: CommandOf<'route.update'>): EventDraft[] {
  const { route: id, ...changes } = data;
  const shared = present(state);
  const before = shared.routes.find((route) => route.id === id);
  if (before === undefined) throw new UsherError('not_found', `there is no route ${id}`);
  const settings = checked(routeSettings, merged(before, changes));
  if (canonicalJson(settings) === canonicalJson(before)) return [];
  assertSound(shared, { ...shared, routes: replaced<RouteSettings>(shared.routes, settings) });
  return [{ type: 'route.updated', subject: 'fleet', data: { settings } }];
}

export function removeRoute(state: FleetState, id: string): EventDraft[] {
  if (!present(state).routes.some((route) => route.id === id))
    throw new UsherError('not_found', `there is no route ${id}`);
  return [{ type: 'route.removed', subject: 'fleet', data: { route: id } }];
}

export function updateLimits(state: FleetState, { data }: CommandOf<'limits.update'>): EventDraft[] {
  const shared = present(state);
  const limits = checked(limitSettings, merged(shared.limits, data));
  if (canonicalJson(limits) === canonicalJson(shared.limits)) return [];
  assertSound(shared, { ...shared, limits });
  return [{ type: 'limits.updated', subject: 'fleet', data: { limits } }];
}

/** Throws UsherError `conflict` until a configuration was applied. */
export function present(state: FleetState): SharedSettings {
  const shared = sharedSettingsOf(state);
  if (shared === undefined) throw new UsherError('conflict', 'no configuration has been applied yet');
  return shared;
}

/** Null takes a member away. */
function merged(before: object, changes: object): Record<string, unknown> {
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    Object.entries({ ...before, ...Object.fromEntries(given) }).filter(([, value]) => value !== null),
  );
}

interface Schema<T> {
  safeParse(value: unknown): {
    readonly success: boolean;
    readonly data?: T;
    readonly error?: {
      readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[];
    };
  };
}

function checked<T>(schema: Schema<T>, value: unknown): T {
  const { data, error } = schema.safeParse(value);
  if (data !== undefined) return data;
  const faults = (error?.issues ?? []).map(
    ({ path, message }) => `${path.map(String).join('.')}: ${message}`,
  );
  throw new UsherError('invalid_input', faults.join('; '));
}

function replaced<T extends { readonly id: string }>(parts: readonly T[], part: T): T[] {
  return parts.map((each) => (each.id === part.id ? part : each));
}
