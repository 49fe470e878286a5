import type { BackendActors, BackendFact } from '@usher/actors';
import {
  type BackendSettings,
  type BackendState,
  canonicalJson,
  DISCOVERED_KEYS,
  type FleetState,
  type PoolState,
  parseBackendUrl,
  pathPatternFault,
  UsherError,
} from '@usher/domain';
import type { Command, CommandOf, EventDraft } from '@usher/events';
import { declareBackend, initialHealth, isElsewhere } from './decide-config.ts';
import { forbiddenUrl } from './targets.ts';

/**
 * The events a command leads to in the present state; none when all is as it asks already.
 * Throws UsherError: `not_found`, `conflict` (exists already, or another revision than expected), `invalid_input`.
 */
export function decideCommand(
  state: FleetState,
  actors: BackendActors,
  command: Command,
  nowMs: number,
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
      checkRemovable(state, findBackend(state, command.data.backend, command.expectRevision));
      return actors.decide(command.data.backend, drainToRemove(state, command.data.backend, nowMs));
    case 'backend.drain':
    case 'backend.enable':
    case 'backend.disable': {
      const backend = findBackend(state, command.data.backend, command.expectRevision);
      return actors.decide(command.data.backend, lifecycleFact(state, backend, command, nowMs));
    }
    case 'pool.set_strategy':
      return setStrategy(state, command);
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
  checkEndpoints(settings);
  checkTargets(settings, pool);
  return declareBackend(state, settings, pool.settings, 'agent');
}

function addBackend(state: FleetState, settings: BackendSettings): EventDraft[] {
  const pool = findPool(state, settings.pool);
  if (state.backends.has(settings.id))
    throw new UsherError('conflict', `backend ${settings.id} exists already`);
  checkEndpoints(settings);
  checkTargets(settings, pool);
  const data = { settings, origin: 'command' as const, health: initialHealth(pool.settings) };
  return [{ type: 'backend.registered', subject: settings.id, data }];
}

function updateBackend(state: FleetState, command: CommandOf<'backend.update'>): EventDraft[] {
  const { backend: id, url, weight, zone, endpoints, place } = command.data;
  const { settings: before } = findBackend(state, id, command.expectRevision);
  const settings = {
    ...before,
    url: url ?? before.url,
    weight: weight ?? before.weight,
    zone: zone ?? before.zone,
    endpoints: endpoints === undefined ? before.endpoints : endpoints.length > 0 ? endpoints : undefined,
    place: place === undefined ? before.place : (place ?? undefined),
  };
  checkEndpoints(settings);
  if (canonicalJson(settings) === canonicalJson(before)) return [];
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
  checkRevision(`pool ${id}`, pool.revision, command.expectRevision);
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

function findBackend(state: FleetState, id: string, expectRevision: number | undefined): BackendState {
  const backend = state.backends.get(id);
  if (backend === undefined) throw new UsherError('not_found', `there is no backend ${id}`);
  checkRevision(`backend ${id}`, backend.revision, expectRevision);
  return backend;
}

function checkRevision(what: string, actual: number, expected: number | undefined): void {
  if (expected === undefined || expected === actual) return;
  throw new UsherError('conflict', `${what} is at revision ${actual}, not ${expected}`);
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

function checkEndpoints({ url, endpoints = [] }: BackendSettings): void {
  checkUrl(url);
  for (const [index, endpoint] of endpoints.entries()) {
    const fault = pathPatternFault(endpoint.path);
    if (fault !== undefined) throw new UsherError('invalid_input', `endpoints.${index}.path: ${fault}`);
    checkUrl(endpoint.url);
  }
}

function checkUrl(url: string): void {
  const origin = parseBackendUrl(url);
  if (typeof origin === 'string') throw new UsherError('invalid_input', `url: ${origin}`);
}
