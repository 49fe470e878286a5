import type { FleetState } from '@usher/domain';
import type { EventType, UsherEvent } from '@usher/events';

const ALWAYS: ReadonlySet<EventType> = new Set([
  'config.applied',
  'route.added',
  'route.updated',
  'route.removed',
  'limits.updated',
  'pool.added',
  'pool.updated',
  'pool.removed',
] as const);

/** Whether an event changes the fleet's configuration: its policy, its pools or its backends. What agents announce is none of it. */
export function changesConfig({ backends }: FleetState, event: UsherEvent): boolean {
  if (ALWAYS.has(event.type)) return true;
  if (event.type === 'backend.registered') return event.data.origin !== 'agent';
  if (event.type === 'backend.updated')
    return event.data.origin === 'config' || isDeclared(backends.get(event.data.settings.id));
  if (event.type === 'backend.drain_started')
    return event.data.remove && isDeclared(backends.get(event.data.backend));
  const ends = event.type === 'backend.removed';
  if (!ends && event.type !== 'backend.enabled' && event.type !== 'backend.disabled') return false;
  const backend = backends.get(event.data.backend);
  // One that drains to be removed was taken out when its drain began, and comes back when that is called off.
  return isDeclared(backend) && backend?.removing !== ends;
}

function isDeclared(backend: { readonly origin: string } | undefined): boolean {
  return backend !== undefined && backend.origin !== 'agent';
}
