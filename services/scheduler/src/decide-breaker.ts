import type { BackendActors } from '@usher/actors';
import type { BackendState, FleetState } from '@usher/domain';
import type { EventDraft } from '@usher/events';

/** A gateway that reported traffic to a backend this recently has a vote on its breaker. */
const VOTE_AGE_MAX_MS = 30_000;
/** A gateway whose own breakers are open for more than half of the backends it uses, of at least this many, is itself suspect. */
const SUSPECT_BACKENDS_MIN = 3;

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
  const voters = [...backend.seenBy.keys()].filter((gateway) => hasVote(state, backend, gateway, nowMs));
  const votes = voters.filter((gateway) => hasTripped(backend, gateway, nowMs)).toSorted();
  if (votes.length > 0 && votes.length > voters.length / 2) {
    return actors.decide(id, { type: 'quorum.tripped', untilMs: nowMs + settings.openForMs, votes });
  }
  if (recovered && votes.length === 0) return actors.decide(id, { type: 'quorum.recovered' });
  return [];
}

function hasVote(state: FleetState, backend: BackendState, gateway: string, nowMs: number): boolean {
  if (state.gateways.get(gateway)?.running !== true) return false;
  if ((backend.seenBy.get(gateway) ?? 0) < nowMs - VOTE_AGE_MAX_MS) return false;
  return !isSuspect(state, gateway, nowMs);
}

function hasTripped(backend: BackendState, gateway: string, nowMs: number): boolean {
  return (backend.trippedBy.get(gateway) ?? 0) > nowMs;
}

/** Fails against most of what it talks to, while another gateway does not: then the fault is likely its own. */
function isSuspect(state: FleetState, gateway: string, nowMs: number): boolean {
  let used = 0;
  let tripped = 0;
  let othersRunning = false;
  for (const [name, { running }] of state.gateways) if (running && name !== gateway) othersRunning = true;
  if (!othersRunning) return false;
  for (const backend of state.backends.values()) {
    if (!backend.seenBy.has(gateway)) continue;
    used += 1;
    if (hasTripped(backend, gateway, nowMs)) tripped += 1;
  }
  return used >= SUSPECT_BACKENDS_MIN && tripped > used / 2;
}
