import type { BackendState } from './backend.ts';
import type { FleetState } from './fleet.ts';
import type { BackendSettings, PoolSettings, RouteSettings, SharedSettings } from './settings.ts';

/** Shared settings by the ids of their parts, so that two of them can be compared part by part. */
export interface ConfigView extends Omit<SharedSettings, 'pools' | 'backends' | 'routes'> {
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

export function configView(shared: SharedSettings): ConfigView {
  const { pools, backends, routes } = shared;
  return { ...shared, pools: byId(pools), backends: byId(backends), routes: byId(routes) };
}

function byId<T extends { readonly id: string }>(parts: readonly T[]): Record<string, T> {
  return Object.fromEntries(parts.map((part) => [part.id, part]));
}
