import type { BackendState } from './backend.ts';
import { type Change, changesBetween } from './changes.ts';
import type { FleetState } from './fleet.ts';
import type { BackendSettings, PoolSettings, RouteSettings, SharedSettings } from './settings.ts';

/** Shared settings by the ids of their parts, so that two of them can be compared part by part. */
interface ConfigView extends Omit<SharedSettings, 'pools' | 'backends' | 'routes'> {
  readonly pools: Readonly<Record<string, PoolSettings>>;
  readonly backends: Readonly<Record<string, BackendSettings>>;
  readonly routes: Readonly<Record<string, RouteSettings>>;
}

/**
 * The shared settings in force, whoever made them: a file that declared them would change nothing. Backends that agents
 * announced or a discovery found are none of it, nor are those that drain to be removed. Undefined until a configuration was applied.
 */
export function sharedSettingsOf({ config, pools, backends }: FleetState): SharedSettings | undefined {
  if (config === null) return undefined;
  const stays = [...backends.values()].filter((backend) => isDeclared(backend) && !backend.removing);
  return {
    ...config.policy,
    pools: [...pools.values()].map(({ settings }) => settings),
    backends: stays.map(({ settings }) => settings),
  };
}

/** Whether a file or an operator said that there is this backend, and not an agent or a discovery. */
export function isDeclared({ origin }: BackendState): boolean {
  return origin === 'config' || origin === 'command';
}

/**
 * What differs between two configurations, part by part. Routes that are there before and after and stand in another order are told by
 * their ids; pools and backends are in none. Undefined: there is none.
 */
export function configChanges(
  before: SharedSettings | undefined,
  after: SharedSettings | undefined,
): Change[] {
  const changes = changesBetween(
    before === undefined ? {} : configView(before),
    after === undefined ? {} : configView(after),
  );
  const [was, is] = [routeOrder(before, after), routeOrder(after, before)];
  return was.join() === is.join() ? changes : [...changes, { path: 'routes', before: was, after: is }];
}

/** The ids of those routes that the other configuration has too. */
function routeOrder(of: SharedSettings | undefined, other: SharedSettings | undefined): string[] {
  const known = new Set(other?.routes.map(({ id }) => id));
  return (of?.routes ?? []).map(({ id }) => id).filter((id) => known.has(id));
}

function configView(shared: SharedSettings): ConfigView {
  const { pools, backends, routes } = shared;
  return { ...shared, pools: byId(pools), backends: byId(backends), routes: byId(routes) };
}

function byId<T extends { readonly id: string }>(parts: readonly T[]): Record<string, T> {
  return Object.fromEntries(parts.map((part) => [part.id, part]));
}
