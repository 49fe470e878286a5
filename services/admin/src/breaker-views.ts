import {
  type BackendState,
  type Ballot,
  ballotOn,
  type FleetState,
  type Standing,
  standingsOf,
} from '@usher/domain';
import { type BackendView, ejectionsOf, instant } from './views.ts';

/** The fleet's breaker of a backend, and how the gateways vote on it now. */
export interface BreakerView {
  readonly backend: string;
  readonly pool: string;
  /** False: the pool has no breakers. */
  readonly enabled: boolean;
  readonly phase: BackendState['breaker'];
  /** When the open breaker lets trial requests through. */
  readonly until: string | null;
  /** How often it opened without a closing in between. */
  readonly openings: number;
  readonly votes: Ballot;
  readonly ejectedBy: BackendView['ejectedBy'];
}

/** What a gateway's votes are worth. */
export interface StandingView extends Standing {
  /** Since when it is known to fail where others do not. */
  readonly suspectSince: string | null;
}

export interface BreakersView {
  readonly breakers: readonly BreakerView[];
  readonly gateways: readonly StandingView[];
}

export function breakersView(state: FleetState, pool: string | undefined, nowMs: number): BreakersView {
  const standings = standingsOf(state, nowMs);
  const backends = [...state.backends.values()].filter(
    ({ settings }) => pool === undefined || settings.pool === pool,
  );
  return {
    breakers: backends.map((backend) => ({
      backend: backend.settings.id,
      pool: backend.settings.pool,
      enabled: state.pools.get(backend.settings.pool)?.settings.breaker.enabled ?? false,
      phase: backend.breaker,
      until: backend.breaker === 'open' ? instant(backend.breakerUntilMs) : null,
      openings: backend.breakerOpenings,
      votes: ballotOn(state, backend, standings, nowMs),
      ejectedBy: ejectionsOf(backend),
    })),
    gateways: Array.from(standings.values(), (standing) => {
      const suspicion = state.gateways.get(standing.gateway)?.suspect ?? null;
      return { ...standing, suspectSince: suspicion === null ? null : instant(suspicion.sinceMs) };
    }),
  };
}
