import {
  clearedStill,
  type FleetState,
  GONE_GATEWAYS_MAX,
  newBackend,
  noneCleared,
  RECEIPTS_MAX,
  roomLeft,
  SUPERSEDED_MAX,
} from '@usher/domain';
import { type EventOf, type EventType, eventTimeMs, type UsherEvent } from '@usher/events';
import { BACKEND_FOLDS, type BackendEventType, dropAllocation } from './backend-events.ts';
import { changesConfig } from './config-revision.ts';

type FleetEventType = Exclude<EventType, BackendEventType>;
type Fold<T extends EventType> = (state: FleetState, event: EventOf<T>, position: number) => void;

const FLEET_FOLDS: { readonly [T in FleetEventType]: Fold<T> } = {
  'config.applied': (state, { data, actor: by }, changedAt) => {
    const { revision, hash, policy, added = [], origin } = data;
    const { config } = state;
    const before = config === null ? [] : [config.hash, ...config.superseded];
    const superseded = before.filter((each) => each !== hash).slice(0, SUPERSEDED_MAX);
    const declaredAt = origin === 'command' ? (config?.declaredAt ?? 0) : changedAt;
    state.config = { revision, changedAt, declaredAt, hash, by, policy, added, superseded };
  },
  'route.added': ({ config }, { data: { settings } }) => {
    if (config === null) return;
    config.policy = { ...config.policy, routes: [...config.policy.routes, settings] };
    config.added = [...config.added, settings.id];
  },
  'route.updated': ({ config }, { data: { settings } }) => {
    if (config === null) return;
    const routes = config.policy.routes.map((route) => (route.id === settings.id ? settings : route));
    config.policy = { ...config.policy, routes };
  },
  'route.removed': ({ config }, { data }) => {
    if (config === null) return;
    const routes = config.policy.routes.filter(({ id }) => id !== data.route);
    config.policy = { ...config.policy, routes };
    config.added = config.added.filter((id) => id !== data.route);
  },
  'limits.updated': ({ config }, { data: { limits } }) => {
    if (config !== null) config.policy = { ...config.policy, limits };
  },
  'pool.added': (state, { data }, position) => {
    const { settings, origin } = data;
    state.pools.set(settings.id, {
      settings,
      origin,
      panicBy: new Map(),
      seenBy: new Map(),
      cleared: noneCleared(),
      revision: position,
    });
  },
  'pool.updated': (state, { data }, position) => {
    const pool = state.pools.get(data.settings.id);
    if (pool === undefined) return;
    pool.settings = data.settings;
    pool.origin = data.origin ?? pool.origin;
    pool.revision = position;
  },
  'pool.removed': (state, { data }) => {
    state.pools.delete(data.pool);
  },
  'backend.registered': (state, { data }, position) => {
    state.backends.set(data.settings.id, newBackend(data.settings, data.origin, data.health, position));
  },
  'backend.updated': (state, { data }, position) => {
    const backend = state.backends.get(data.settings.id);
    if (backend === undefined) return;
    backend.settings = data.settings;
    backend.origin = data.origin ?? backend.origin;
    backend.revision = position;
    backend.room = roomLeft(data.settings.capacity, backend.reserved);
    if (data.health === undefined) return;
    backend.health = data.health;
    backend.healthCause = 'changed';
  },
  'backend.removed': (state, { data }) => {
    state.backends.delete(data.backend);
  },
  'scheduler.elected': (state, { data }) => {
    state.leader = { scheduler: data.scheduler, term: data.term };
  },
  // The receipt of a command needs the events before it, see `applyReceipt`.
  'command.accepted': () => {},
  // A checkpoint tells what the state was; it is no part of it.
  'checkpoint.written': () => {},
  'gateway.started': (state, event) => {
    const { data } = event;
    const known = state.gateways.get(data.gateway);
    state.gateways.set(data.gateway, {
      version: data.version,
      startedAtMs: eventTimeMs(event),
      running: true,
      requests: known?.requests ?? 0,
      errors: known?.errors ?? 0,
      suspect: null,
    });
    // A process that begins has ejected nobody yet, whatever the one before it had.
    forgetViews(state, data.gateway);
  },
  'gateway.stopped': (state, { data }) => retireGateway(state, data.gateway),
  'gateway.lost': (state, { data }) => retireGateway(state, data.gateway),
  'gateway.suspected': (state, event) => {
    const { gateway, tripped, used } = event.data;
    const known = state.gateways.get(gateway);
    if (known !== undefined) known.suspect = { sinceMs: eventTimeMs(event), tripped, used };
  },
  'gateway.cleared': (state, { data }) => {
    const known = state.gateways.get(data.gateway);
    if (known !== undefined) known.suspect = null;
  },
  'pool.panicked': (state, event) => {
    const { pool, gateway } = event.data;
    state.pools.get(pool)?.panicBy.set(gateway, eventTimeMs(event));
  },
  'pool.calmed': (state, { data }) => {
    state.pools.get(data.pool)?.panicBy.delete(data.gateway);
  },
  'gateway.observed': (state, event) => observe(state, event),
  // How a process is, it tells itself; these are for looking back.
  'process.degraded': () => {},
  'process.recovered': () => {},
  // For the caches of other gateways; there are too many sessions for the state to know each.
  'sticky.moved': () => {},
  // What it leads to, gateways tell.
  'allocations.purged': () => {},
  'sticky.cleared': ({ pools }, event, position) => {
    const { pool: id, session } = event.data;
    const pool = pools.get(id);
    if (pool === undefined) return;
    const clearance = { position, atMs: eventTimeMs(event) };
    if (session === undefined) {
      pool.cleared = { all: clearance, one: new Map() };
      return;
    }
    const one = clearedStill(pool, clearance.atMs);
    one.delete(session);
    pool.cleared = { ...pool.cleared, one: one.set(session, clearance) };
  },
  'gateway.shedding_changed': () => {},
  'gateway.rate_limits_split': () => {},
  'gateway.rate_limits_joined': () => {},
  // For people to look at.
  'admin.refused': () => {},
};

function observe(state: FleetState, event: EventOf<'gateway.observed'>): void {
  const { data } = event;
  const gateway = state.gateways.get(data.gateway);
  if (gateway !== undefined) {
    gateway.requests += data.requests;
    gateway.errors += data.errors;
  }
  const atMs = eventTimeMs(event);
  for (const seen of data.backends) {
    const backend = state.backends.get(seen.backend);
    if (backend === undefined) continue;
    backend.requests += seen.requests;
    backend.failures += seen.failures;
    backend.seenBy.set(data.gateway, atMs);
    state.pools.get(backend.settings.pool)?.seenBy.set(data.gateway, atMs);
  }
}

/**
 * A gateway that is gone has no view of any breaker, nothing in flight and nothing reserved. It is shown until enough others have gone after it,
 * since names are new with each start where containers give them.
 */
function retireGateway(state: FleetState, gateway: string): void {
  const { gateways } = state;
  const known = gateways.get(gateway);
  if (known?.running === true) {
    known.running = false;
    known.suspect = null;
    // To the end: those that are gone stand in the order in which they went.
    gateways.delete(gateway);
    gateways.set(gateway, known);
    const gone = [...gateways].filter(([, { running }]) => !running);
    for (const [oldest] of gone.slice(0, -GONE_GATEWAYS_MAX)) gateways.delete(oldest);
  }
  forgetViews(state, gateway);
  for (const { seenBy } of state.pools.values()) seenBy.delete(gateway);
  for (const backend of state.backends.values()) {
    backend.trippedBy.delete(gateway);
    backend.seenBy.delete(gateway);
    backend.emptiedBy.delete(gateway);
    for (const { id, owner } of backend.allocations.values())
      if (owner === gateway) dropAllocation(backend, id);
  }
}

/** What a gateway had ejected, and which of its pools were in panic. */
function forgetViews(state: FleetState, gateway: string): void {
  for (const { ejectedBy } of state.backends.values()) ejectedBy.delete(gateway);
  for (const { panicBy } of state.pools.values()) panicBy.delete(gateway);
}

/** Changes `state` by one event. An event about a backend that does not exist (any more) changes nothing. */
export function applyEvent(state: FleetState, event: UsherEvent, position: number): void {
  if (state.config !== null && changesConfig(state, event)) state.config.changedAt = position;
  if (Object.hasOwn(FLEET_FOLDS, event.type)) {
    const fold = FLEET_FOLDS[event.type as FleetEventType] as Fold<EventType>;
    fold(state, event, position);
    return;
  }
  const { backend: id } = event.data as { backend: string };
  const backend = state.backends.get(id);
  if (backend === undefined) return;
  const fold = BACKEND_FOLDS[event.type as BackendEventType] as (
    ...args: [typeof backend, UsherEvent, number]
  ) => void;
  fold(backend, event, position);
}

/** Remembers that the command which caused these events was accepted. */
export function applyReceipt(state: FleetState, events: readonly UsherEvent[], position: number): void {
  const last = events.at(-1);
  if (last?.type !== 'command.accepted') return;
  const { command: id, fingerprint } = last.data;
  const eventTypes = events.slice(0, -1).map(({ type }) => type);
  state.receipts.set(id, { id, fingerprint, position, eventTypes });
  if (state.receipts.size > RECEIPTS_MAX) {
    for (const oldest of state.receipts.keys()) {
      state.receipts.delete(oldest);
      break;
    }
  }
}
