import type { BackendActors } from '@usher/actors';
import { type BackendState, ballotOn, type FleetState, hasQuorum, standingsOf } from '@usher/domain';
import type { EventDraft } from '@usher/events';

/** Trials are passed on no more often: gateways report their traffic once a second. */
const ROUND_MIN_MS = 1_000;
/** By so much the clocks of two schedulers may differ before the one that takes over goes by its own. */
const CLOCKS_DIFFER_MAX_MS = 2_000;

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

/**
 * Whether the breaker of a backend has been as it is for long enough. A time further away than it ever can be was told by
 * another clock, or by this one before it was set back: waiting for it could take hours.
 */
export function isTrialDue(state: FleetState, backend: BackendState, nowMs: number): boolean {
  if (backend.breaker === 'closed') return false;
  const leftMs = backend.breakerUntilMs - nowMs;
  return leftMs <= 0 || leftMs > roundMsOf(state, backend) + CLOCKS_DIFFER_MAX_MS;
}

/**
 * An open breaker half opens. The trials of one that is half open for as long without a verdict are passed on, if there was
 * traffic to its pool meanwhile: then whoever has them got none of it, or still waits for its answer.
 */
export function decideTrial(
  state: FleetState,
  actors: BackendActors,
  id: string,
  nowMs: number,
): EventDraft[] {
  const backend = state.backends.get(id);
  const pool = state.pools.get(backend?.settings.pool ?? '');
  if (backend === undefined || pool === undefined) return [];
  const { breaker, breakerUntilMs, trialRound } = backend;
  const roundMs = roundMsOf(state, backend);
  const untilMs = nowMs + roundMs;
  if (breaker === 'open') return actors.decide(id, { type: 'trial.due', untilMs });
  if (!isTrialDue(state, backend, nowMs)) return [];
  // Of a round whose end another clock has told nobody knows when it began.
  const beganMs = Math.min(breakerUntilMs, nowMs) - roundMs;
  if (Math.max(...pool.seenBy.values()) < beganMs) return [];
  return actors.decide(id, { type: 'trial.passed_on', untilMs, round: trialRound + 1 });
}

function roundMsOf({ pools }: FleetState, { settings }: BackendState): number {
  return Math.max(ROUND_MIN_MS, pools.get(settings.pool)?.settings.breaker.openForMs ?? 0);
}
