import type { BackendActors } from '@usher/actors';
import type { BackendState, FleetState } from '@usher/domain';
import type { EventDraft } from '@usher/events';
import { decideTrial, isTrialDue } from './decide-breaker.ts';

/** Events for everything that has fallen due: drains that ended, breakers to try again. */
export function decideDeadlines(state: FleetState, actors: BackendActors, nowMs: number): EventDraft[] {
  const drafts: EventDraft[] = [];
  for (const [id, backend] of state.backends) {
    if (backend.lifecycle === 'draining') drafts.push(...endDrain(state, actors, id, backend, nowMs));
    if (isTrialDue(state, backend, nowMs)) drafts.push(...decideTrial(state, actors, id, nowMs));
  }
  return drafts;
}

/** A drain ends when every running gateway has nothing in flight to the backend any more, or at its deadline. */
function endDrain(
  state: FleetState,
  actors: BackendActors,
  id: string,
  backend: BackendState,
  nowMs: number,
): EventDraft[] {
  const cause = isEmptied(state, backend) ? 'empty' : 'deadline';
  if (cause === 'deadline' && backend.drainDeadlineMs > nowMs) return [];
  const drafts = actors.decide(id, { type: 'drain.ended', cause });
  if (backend.removing) drafts.push({ type: 'backend.removed', subject: id, data: { backend: id } });
  return drafts;
}

function isEmptied(state: FleetState, backend: BackendState): boolean {
  for (const [gateway, { running }] of state.gateways) {
    if (running && !backend.emptiedBy.has(gateway)) return false;
  }
  return true;
}
