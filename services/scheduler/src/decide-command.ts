import type { BackendActors, BackendFact } from '@usher/actors';
import { backendFaults } from '@usher/config';
import {
  type BackendSettings,
  type BackendState,
  canonicalJson,
  DISCOVERED_KEYS,
  type FleetState,
  type PoolState,
  UsherError,
} from '@usher/domain';
import type { Command, CommandOf, EventDraft } from '@usher/events';
import { declareBackend, initialHealth, isElsewhere } from './decide-config.ts';
import {
  addPool,
  addRoute,
  removePool,
  removeRoute,
  updateLimits,
  updatePool,
  updateRoute,
} from './decide-settings.ts';
import { clearSticky, purgeAllocations } from './decide-sticky.ts';
import { applyWhole, revertTo } from './decide-whole.ts';
import { forbiddenUrl } from './targets.ts';

/** What a decision needs beside the state. */
export interface Surroundings {
  readonly nowMs: number;
  /** The state at the position that `config.revert` names, if it is known. */
  readonly past: FleetState | undefined;
}

/**
 * The events a command leads to in the present state; none when all is as it asks already.
 * Throws UsherError: `not_found`, `conflict` (exists already, or another revision than expected), `invalid_input`.
 */
export function decideCommand(
  state: FleetState,
  actors: BackendActors,
  command: Command,
  { nowMs, past }: Surroundings,
): EventDraft[] {
  switch (command.name) {
    case 'backend.add':
      return addBackend(state, command.data.settings);
    case 'backend.announce':
      return announceBackend(state, command.data.settings);
    case 'backend.withdraw':
      if (state.backends.get(command.data.backend)?.origin !== 'agent') return [];
      return actors.decide(command.data.backend, drainToRemove(state, command.data.backend, nowMs));
    case 'backend.update':
      return updateBackend(state, command);
    case 'backend.remove':
      checkRemovable(state, findBackend(state, command.data.backend));
      return actors.decide(command.data.backend, drainToRemove(state, command.data.backend, nowMs));
    case 'backend.drain':
    case 'backend.enable':
    case 'backend.disable': {
      const backend = findBackend(state, command.data.backend);
      return actors.decide(command.data.backend, lifecycleFact(state, backend, command, nowMs));
    }
    case 'breaker.reset': {
      const { backend: id } = command.data;
      findBackend(state, id);
      return [{ type: 'breaker.closed', subject: id, data: { backend: id, reset: true } }];
    }
    case 'sticky.clear':
      return clearSticky(state, command, nowMs);
    case 'allocations.purge':
      return purgeAllocations(state, command);
    case 'pool.add':
    case 'pool.update':
    case 'pool.set_tiers':
    case 'pool.remove':
    case 'pool.set_strategy':
    case 'route.add':
    case 'route.update':
    case 'route.remove':
    case 'limits.update':
    case 'config.apply':
    case 'config.revert':
      return decideSettings(state, command, { nowMs, past });
  }
}

type SettingsCommand = Extract<
  Command,
  { readonly name: `pool.${string}` | `route.${string}` | `config.${string}` | 'limits.update' }
>;

function decideSettings(
  state: FleetState,
  command: SettingsCommand,
  { nowMs, past }: Surroundings,
): EventDraft[] {
  switch (command.name) {
    case 'pool.add':
      return addPool(state, command);
    case 'pool.update': {
      const { pool, ...changes } = command.data;
      return updatePool(state, pool, changes);
    }
    case 'pool.set_tiers':
      return updatePool(state, command.data.pool, { tiers: command.data.tiers });
    case 'pool.remove':
      return removePool(state, command.data.pool);
    case 'pool.set_strategy':
      return setStrategy(state, command);
    case 'route.add':
      return addRoute(state, command);
    case 'route.update':
      return updateRoute(state, command);
    case 'route.remove':
      return removeRoute(state, command.data.route);
    case 'limits.update':
      return updateLimits(state, command);
    case 'config.apply':
      return applyWhole(state, command.data.config, nowMs);
    case 'config.revert':
      if (past === undefined)
        throw new UsherError(
          'not_found',
          `there is no configuration of position ${command.data.to} any more`,
        );
      return revertTo(state, past, nowMs);
  }
}

type LifecycleCommand = CommandOf<'backend.drain' | 'backend.enable' | 'backend.disable'>;

function lifecycleFact(
  state: FleetState,
  backend: BackendState,
  command: Command,
  nowMs: number,
): BackendFact {
  const { name, data } = command as LifecycleCommand;
  if (name === 'backend.enable') return { type: 'enable.wanted' };
  if (name === 'backend.disable') return { type: 'disable.wanted' };
  const asked = 'deadlineMs' in data ? data.deadlineMs : undefined;
  const deadlineMs = nowMs + (asked ?? drainMsOf(state, backend.settings.id));
  return { type: 'drain.wanted', deadlineMs, remove: false };
}

function drainToRemove(state: FleetState, id: string, nowMs: number): BackendFact {
  return { type: 'drain.wanted', deadlineMs: nowMs + drainMsOf(state, id), remove: true };
}

function drainMsOf(state: FleetState, id: string): number {
  const pool = state.backends.get(id)?.settings.pool ?? '';
  return state.pools.get(pool)?.settings.drainMs ?? 0;
}

/**
 * A backend as the agent beside it declares it. What a file or an operator declared stays as it is: the agent only
 * reports for it. So does a drain or a disabling that an operator wanted; only the agent's own withdrawal is undone.
 */
function announceBackend(state: FleetState, settings: BackendSettings): EventDraft[] {
  const pool = findPool(state, settings.pool);
  const known = state.backends.get(settings.id);
  if (known !== undefined && known.origin !== 'agent') return [];
  if (!pool.settings.agents)
    throw new UsherError('forbidden', `pool ${settings.pool} takes no agents; its key \`agents\` is false`);
  checkBackend(known?.settings, settings);
  checkTargets(settings, pool);
  return declareBackend(state, settings, pool.settings, 'agent');
}

function addBackend(state: FleetState, settings: BackendSettings): EventDraft[] {
  const pool = findPool(state, settings.pool);
  if (state.backends.has(settings.id))
    throw new UsherError('conflict', `backend ${settings.id} exists already`);
  checkBackend(undefined, settings);
  checkTargets(settings, pool);
  const data = { settings, origin: 'command' as const, health: initialHealth(pool.settings) };
  return [{ type: 'backend.registered', subject: settings.id, data }];
}

function updateBackend(state: FleetState, command: CommandOf<'backend.update'>): EventDraft[] {
  const { backend: id, url, weight, zone, endpoints, place, maxConnections } = command.data;
  const { settings: before } = findBackend(state, id);
  const settings = {
    ...before,
    url: url ?? before.url,
    weight: weight ?? before.weight,
    zone: zone ?? before.zone,
    endpoints: endpoints === undefined ? before.endpoints : endpoints.length > 0 ? endpoints : undefined,
    place: place === undefined ? before.place : (place ?? undefined),
    maxConnections: maxConnections === undefined ? before.maxConnections : (maxConnections ?? undefined),
  };
  if (canonicalJson(settings) === canonicalJson(before)) return [];
  checkBackend(before, settings);
  checkUnsaid(state, before, settings);
  if (!isElsewhere(before, settings)) return [{ type: 'backend.updated', subject: id, data: { settings } }];
  const pool = findPool(state, settings.pool);
  checkTargets(settings, pool);
  const health = initialHealth(pool.settings);
  return [{ type: 'backend.updated', subject: id, data: { settings, health } }];
}

/** What is discovered would be back with the next look. */
function checkRemovable(state: FleetState, { origin, settings: { id, pool } }: BackendState): void {
  if (origin !== 'discovery' || state.pools.get(pool)?.settings.discovery === undefined) return;
  throw new UsherError(
    'conflict',
    `backend ${id} is found by the discovery of pool ${pool} and would be found again; disable it, or take it away there`,
  );
}

/** What the discovery of a pool says of a backend is not for a command to say: the next look would undo it. */
function checkUnsaid(state: FleetState, before: BackendSettings, after: BackendSettings): void {
  if (state.backends.get(before.id)?.origin !== 'discovery') return;
  const discovery = state.pools.get(before.pool)?.settings.discovery;
  if (discovery === undefined) return;
  for (const key of DISCOVERED_KEYS[discovery.by]) {
    if (canonicalJson({ value: before[key] }) === canonicalJson({ value: after[key] })) continue;
    const where = discovery.by === 'file' ? discovery.file : `DNS (${discovery.name})`;
    throw new UsherError(
      'conflict',
      `the ${key} of backend ${before.id} is what ${where} says; change it there`,
    );
  }
}

function setStrategy(state: FleetState, command: CommandOf<'pool.set_strategy'>): EventDraft[] {
  const { pool: id, strategy } = command.data;
  const pool = findPool(state, id);
  if (pool.settings.strategy === strategy) return [];
  if (strategy === 'custom' && pool.settings.strategyFile === undefined)
    throw new UsherError('conflict', `pool ${id} has no strategy_file`);
  return [{ type: 'pool.updated', subject: id, data: { settings: { ...pool.settings, strategy } } }];
}

function findPool(state: FleetState, id: string): PoolState {
  const pool = state.pools.get(id);
  if (pool === undefined) throw new UsherError('not_found', `there is no pool ${id}`);
  return pool;
}

function findBackend(state: FleetState, id: string): BackendState {
  const backend = state.backends.get(id);
  if (backend === undefined) throw new UsherError('not_found', `there is no backend ${id}`);
  return backend;
}

/** Only who writes the file may put a backend anywhere: they have the machine, which others get at through it. */
function checkTargets(settings: BackendSettings, pool: PoolState): void {
  const forbidden = forbiddenUrl(settings, pool.settings);
  if (forbidden === undefined) return;
  throw new UsherError(
    'forbidden',
    `${forbidden} is not where backends of agents and commands may be; key \`targets\` of pool ${settings.pool} says where`,
  );
}

function checkBackend(before: BackendSettings | undefined, after: BackendSettings): void {
  const faults = backendFaults(before, after);
  if (faults.length > 0) throw new UsherError('invalid_input', faults.join('; '));
}
