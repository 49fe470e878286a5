import type { BuiltInStrategy } from '../settings.ts';
import type { FastRandom } from '../strategies/fast-random.ts';
import type { Candidate, CandidatePool, Features, StrategySettings } from '../strategies/strategy.ts';
import { DECISION_REVISION, type RecordedCandidate, type RecordedDecision } from './recorded-decision.ts';

/** By what a pool decides. */
export interface DecidingBy {
  readonly strategy: BuiltInStrategy;
  /** Those that its strategy was created with. */
  readonly settings?: StrategySettings;
}

/** Decides on a pool, which goes on as after any other decision, and records everything that the decision depended on. */
export function recordDecision<C extends Candidate>(
  { strategy, settings }: DecidingBy,
  pool: CandidatePool<C>,
  tried: readonly C[],
  { key, tier, from }: Features,
  random: FastRandom,
): RecordedDecision {
  const memory = pool.chooser.memory?.(pool);
  const before = {
    revision: DECISION_REVISION,
    strategy,
    ...(settings === undefined ? {} : { settings }),
    candidates: pool.members.map((member) => recorded(member)),
    inFlight: pool.inFlight,
    ...(memory === undefined ? {} : { memory }),
    key,
    tier,
    ...(from === undefined ? {} : { from }),
    seed: random.seed,
    tried: tried.map(({ id }) => id),
  };
  const chosen = pool.chooser.pick(pool, tried, { key, tier, from, random });
  return { ...before, chosen: chosen?.id ?? null };
}

function recorded(candidate: Candidate): RecordedCandidate {
  const { id, fullWeight, weight, open, inFlight, own, cost, facts } = candidate;
  return {
    id,
    fullWeight,
    ...(weight === fullWeight ? {} : { weight }),
    ...(open ? {} : { open }),
    ...(inFlight === 0 ? {} : { inFlight }),
    ...(own === inFlight ? {} : { own }),
    ...(Number.isFinite(cost) ? { cost } : {}),
    ...(facts === undefined ? {} : { facts }),
  };
}
