import type { BackendActors } from '@usher/actors';
import { ballotOn, type FleetState, hasQuorum, standingsOf } from '@usher/domain';
import type { EventDraft } from '@usher/events';

/**
 * Fleet breaker of one backend: opens when most of the gateways that lately sent it traffic have tripped, so that one
 * gateway with a broken way out cannot take a backend from all others. While half open it closes at the first
 * gateway's recovery if none has tripped again.
 */
export function decideBreaker(
  state: FleetState,
  actors: BackendActors,
  id: string,
  recovered: boolean,
  nowMs: number,
): EventDraft[] {
  const backend = state.backends.get(id);
  if (backend === undefined) return [];
  const settings = state.pools.get(backend.settings.pool)?.settings.breaker;
  if (settings === undefined || !settings.enabled) return [];
  const ballot = ballotOn(state, backend, standingsOf(state, nowMs), nowMs);
  if (hasQuorum(ballot)) {
    const votes = [...ballot.for];
    return actors.decide(id, { type: 'quorum.tripped', untilMs: nowMs + settings.openForMs, votes });
  }
  if (recovered && ballot.for.length === 0) return actors.decide(id, { type: 'quorum.recovered' });
  return [];
}
