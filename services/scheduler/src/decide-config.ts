import {
  type BackendSettings,
  type BackendState,
  canonicalJson,
  type FleetState,
  type PoolSettings,
  poolsNamedBy,
  type RouteSettings,
  type SharedSettings,
} from '@usher/domain';
import type { EventDraft } from '@usher/events';
import { forbiddenUrl } from './targets.ts';

/** A configuration as a file declares it, with the hash that names it. */
export interface DeclaredConfig {
  readonly shared: SharedSettings;
  readonly hash: string;
  /** Absent: a file. */
  readonly origin?: 'command' | undefined;
}

/** As `applyConfig`; none when the file is one that the fleet has left behind. */
export function decideConfig(
  state: FleetState,
  declared: DeclaredConfig,
  instance: string,
  nowMs: number,
): EventDraft[] {
  return isOutdated(state, declared, instance) ? [] : applyConfig(state, declared, nowMs);
}

/**
 * The events that make the fleet what a file declares; none when it was the last one applied. A file owns what it
 * declares: those pools and backends get its settings, and those that it declared before and does not any more go.
 * What commands added stays until a command removes it.
 */
export function applyConfig(state: FleetState, declared: DeclaredConfig, nowMs: number): EventDraft[] {
  return state.config?.hash === declared.hash ? [] : declareAll(state, declared, nowMs);
}

/** As `applyConfig`, also for the configuration that was the last one applied: commands may have changed it since. */
export function declareAll(state: FleetState, declared: DeclaredConfig, nowMs: number): EventDraft[] {
  const { pools, backends, ...policy } = declared.shared;
  const revision = (state.config?.revision ?? 0) + 1;
  const kept = keptRoutes(state, declared.shared);
  const data = {
    revision,
    hash: declared.hash,
    policy: { ...policy, routes: [...policy.routes, ...kept] },
    ...(kept.length === 0 ? {} : { added: kept.map(({ id }) => id) }),
    ...(declared.origin === undefined ? {} : { origin: declared.origin }),
  };
  return [
    { type: 'config.applied', subject: 'fleet', data },
    ...pools.flatMap((pool) => declarePool(state, pool)),
    ...backends.flatMap((backend) => {
      const pool = pools.find(({ id }) => id === backend.pool);
      return pool === undefined ? [] : declareBackend(state, backend, pool, 'config');
    }),
    ...dropUndeclared(state, declared.shared, nowMs),
  ];
}

/** Routes that commands added, as long as the file has none in their place and their pool stays. */
function keptRoutes(state: FleetState, { pools, routes }: SharedSettings): RouteSettings[] {
  const { config } = state;
  if (config === null || config.added.length === 0) return [];
  const stays = (pool: string | undefined) =>
    pool === undefined || pools.some(({ id }) => id === pool) || state.pools.get(pool)?.origin === 'command';
  return config.policy.routes.filter(
    (route) =>
      config.added.includes(route.id) &&
      poolsNamedBy(route).every(stays) &&
      !routes.some(({ id, host, path }) => id === route.id || (host === route.host && path === route.path)),
  );
}

/**
 * The file is one that the fleet has left behind: it was in force, and another process's file took its place. Only who
 * brought the present one may go back, or each change of leaders during a rollout would undo the rollout.
 */
export function isOutdated({ config }: FleetState, { hash }: DeclaredConfig, instance: string): boolean {
  return config !== null && config.by !== instance && config.superseded.includes(hash);
}

/** What a backend's health is before any probe: a pool without probes trusts its backends. */
export function initialHealth(pool: PoolSettings): 'unchecked' | 'unknown' {
  return pool.health.type === 'none' ? 'unchecked' : 'unknown';
}

function declarePool(state: FleetState, settings: PoolSettings): EventDraft[] {
  const known = state.pools.get(settings.id);
  if (known === undefined)
    return [{ type: 'pool.added', subject: settings.id, data: { settings, origin: 'config' } }];
  const origin = known.origin === 'config' ? {} : ({ origin: 'config' } as const);
  if (canonicalJson(known.settings) === canonicalJson(settings) && known.origin === 'config') return [];
  return changePool(state, known.settings, settings, origin);
}

/** A pool gets other settings. */
export function changePool(
  state: FleetState,
  before: PoolSettings,
  settings: PoolSettings,
  origin: { readonly origin?: 'config' },
): EventDraft[] {
  const drafts: EventDraft[] = [
    { type: 'pool.updated', subject: settings.id, data: { settings, ...origin } },
  ];
  if (initialHealth(before) === initialHealth(settings)) return drafts;
  // Probing was switched on or off: what was known of the pool's backends no longer holds.
  for (const [id, backend] of state.backends) {
    if (backend.settings.pool !== settings.id) continue;
    const data = { settings: backend.settings, health: initialHealth(settings) };
    drafts.push({ type: 'backend.updated', subject: id, data });
  }
  return drafts;
}

/** The events that make a backend what its owner declares. */
export function declareBackend(
  state: FleetState,
  settings: BackendState['settings'],
  pool: PoolSettings,
  origin: 'config' | 'agent' | 'discovery',
): EventDraft[] {
  const { id } = settings;
  const known = state.backends.get(id);
  if (known === undefined) {
    const data = { settings, origin, health: initialHealth(pool) };
    return [{ type: 'backend.registered', subject: id, data }];
  }
  const again: EventDraft[] = known.removing
    ? [{ type: 'backend.enabled', subject: id, data: { backend: id } }]
    : [];
  if (canonicalJson(known.settings) === canonicalJson(settings) && known.origin === origin) return again;
  // A file takes over what it declares from whoever had it.
  const taken = known.origin !== 'config' && origin === 'config' ? { origin } : {};
  const moved = isElsewhere(known.settings, settings) || known.settings.pool !== settings.pool;
  const data = { settings, ...taken, ...(moved ? { health: initialHealth(pool) } : {}) };
  return [{ type: 'backend.updated', subject: id, data }, ...again];
}

/** Whether a backend listens somewhere else than before, so that what is known of its health no longer holds. */
export function isElsewhere(before: BackendSettings, after: BackendSettings): boolean {
  return (
    before.url !== after.url || canonicalJson(before.endpoints ?? []) !== canonicalJson(after.endpoints ?? [])
  );
}

/** Whether a backend that the file does not declare may stay in its pool. */
function isVouchedFor({ origin, settings }: BackendState, pool: PoolSettings | undefined): boolean {
  if (origin === 'discovery') return pool?.discovery !== undefined;
  if (origin === 'agent') return pool === undefined || forbiddenUrl(settings, pool) === undefined;
  return origin === 'command';
}

function dropUndeclared(state: FleetState, shared: SharedSettings, nowMs: number): EventDraft[] {
  const pools = new Set(shared.pools.map(({ id }) => id));
  const backends = new Set(shared.backends.map(({ id }) => id));
  const isDropped = (backend: BackendState) => {
    const pool = shared.pools.find(({ id }) => id === backend.settings.pool);
    return !isVouchedFor(backend, pool);
  };
  const goneWithPool = (backend: BackendState) =>
    !pools.has(backend.settings.pool) && state.pools.get(backend.settings.pool)?.origin !== 'command';
  const drafts: EventDraft[] = [];
  for (const [id, backend] of state.backends) {
    if (backends.has(id)) continue;
    if (goneWithPool(backend)) drafts.push({ type: 'backend.removed', subject: id, data: { backend: id } });
    else if (isDropped(backend) && !backend.removing) {
      const drainMs = state.pools.get(backend.settings.pool)?.settings.drainMs ?? 0;
      const data = { backend: id, deadlineMs: nowMs + drainMs, remove: true };
      drafts.push({ type: 'backend.drain_started', subject: id, data });
    }
  }
  for (const [pool, { origin }] of state.pools) {
    if (origin === 'config' && !pools.has(pool))
      drafts.push({ type: 'pool.removed', subject: pool, data: { pool } });
  }
  return drafts;
}
