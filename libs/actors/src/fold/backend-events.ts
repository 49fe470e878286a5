import { type BackendState, plusResources, roomLeft, type StoreStep } from '@usher/domain';
import { type EventOf, type EventType, eventTimeMs } from '@usher/events';

/**
 * How each event about a backend that exists changes its state. A result event sets the state it names: no guard,
 * no timer, no clock. What is needed to decide was decided by whoever wrote the event.
 */
export type BackendEventType = Exclude<
  Extract<EventType, `backend.${string}` | `breaker.${string}` | `allocation.${string}`>,
  'backend.registered' | 'backend.updated' | 'backend.removed'
>;

type Fold<T extends EventType> = (backend: BackendState, event: EventOf<T>, position: number) => void;

export const BACKEND_FOLDS: { readonly [T in BackendEventType]: Fold<T> } = {
  'backend.drain_started': (backend, { data }, position) => {
    backend.lifecycle = 'draining';
    backend.drainDeadlineMs = data.deadlineMs;
    backend.removing = data.remove;
    backend.emptiedBy.clear();
    backend.revision = position;
  },
  'backend.drained': (backend, _event, position) => endDrain(backend, 'drained', position),
  'backend.disabled': (backend, _event, position) => endDrain(backend, 'disabled', position),
  'backend.enabled': (backend, _event, position) => endDrain(backend, 'active', position),
  'backend.emptied': (backend, { data }) => {
    const { lifecycle, revision } = backend;
    if (lifecycle === 'draining' && (data.revision ?? revision) === revision)
      backend.emptiedBy.add(data.gateway);
  },
  'backend.became_healthy': (backend, { data }) => setHealth(backend, 'healthy', data.cause),
  'backend.became_unhealthy': (backend, { data }) => setHealth(backend, 'unhealthy', data.cause),
  // A hint to the scheduler, which answers with `breaker.half_opened`.
  'backend.probes_passed': () => {},
  'backend.latency_measured': (backend, { data }) => {
    backend.latencyMs = data.latencyMs;
  },
  'backend.stats_reported': (backend, { data }) => {
    backend.stats = data.stats;
  },
  'backend.went_stale': (backend) => {
    backend.stale = true;
  },
  'backend.came_back': (backend) => {
    backend.stale = false;
  },
  'breaker.tripped': (backend, event) => {
    const { data } = event;
    backend.trippedBy.set(data.gateway, data.untilMs);
    backend.seenBy.set(data.gateway, eventTimeMs(event));
  },
  'breaker.recovered': (backend, { data }) => {
    backend.trippedBy.delete(data.gateway);
  },
  'backend.ejected': (backend, { data }) => {
    backend.ejectedBy.set(data.gateway, data.untilMs);
  },
  'backend.readmitted': (backend, { data }) => {
    backend.ejectedBy.delete(data.gateway);
  },
  'breaker.opened': (backend, { data }) => {
    backend.breaker = 'open';
    backend.breakerUntilMs = data.untilMs;
    backend.breakerOpenings += 1;
  },
  'breaker.half_opened': (backend, { data }) => {
    backend.breaker = 'half_open';
    backend.breakerUntilMs = data.untilMs ?? 0;
    backend.trialRound = data.round ?? 0;
    backend.trippedBy.clear();
  },
  'breaker.closed': (backend) => {
    backend.breaker = 'closed';
    backend.breakerUntilMs = 0;
    backend.breakerOpenings = 0;
    backend.trippedBy.clear();
  },
  'allocation.reserved': (backend, { data }) => {
    const { allocation: id, owner, resources, expiresAtMs } = data;
    const at = data.at === undefined ? null : { run: data.at.run, step: data.at.step };
    const known = backend.allocations.get(id);
    // Another gateway that has it by now may tell so first.
    if (known !== undefined && isLater(known.at, at)) return;
    dropAllocation(backend, id);
    backend.allocations.set(id, { id, owner, resources, expiresAtMs, at });
    backend.reserved = plusResources(backend.reserved, resources, 1);
    backend.room = roomLeft(backend.settings.capacity, backend.reserved);
  },
  'allocation.released': (backend, { data }) => dropAllocation(backend, data.allocation),
  'allocation.expired': (backend, { data }) => dropAllocation(backend, data.allocation),
};

function endDrain(
  backend: BackendState,
  lifecycle: 'active' | 'drained' | 'disabled',
  position: number,
): void {
  backend.lifecycle = lifecycle;
  backend.drainDeadlineMs = 0;
  backend.emptiedBy.clear();
  backend.revision = position;
  if (lifecycle !== 'drained') backend.removing = false;
}

function setHealth(backend: BackendState, health: BackendState['health'], cause: string): void {
  backend.health = health;
  backend.healthCause = cause;
}

/** What is reserved for it is free again. */
export function dropAllocation(backend: BackendState, id: string): void {
  const allocation = backend.allocations.get(id);
  if (allocation === undefined) return;
  backend.allocations.delete(id);
  backend.reserved = plusResources(backend.reserved, allocation.resources, -1);
  backend.room = roomLeft(backend.settings.capacity, backend.reserved);
}

function isLater(a: StoreStep | null, b: StoreStep | null): boolean {
  if (a === null || b === null) return false;
  return a.run > b.run || (a.run === b.run && a.step > b.step);
}
