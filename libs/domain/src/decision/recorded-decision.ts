import type { ResourceFacts } from '../resource/machine.ts';
import type { SpherePoint } from '../resource/place.ts';
import type { BuiltInStrategy } from '../settings.ts';
import type { StrategySettings } from '../strategies/strategy.ts';

/** Rises with every change of a strategy that has it decide otherwise than before. */
export const DECISION_REVISION = 1;

/** A backend as a decision found it. */
export interface RecordedCandidate {
  readonly id: string;
  /** As declared. */
  readonly fullWeight: number;
  /** During a slow start; absent = as declared. */
  readonly weight?: number;
  /** Absent = it could be chosen. */
  readonly open?: false;
  /** Requests under way; absent = none. */
  readonly inFlight?: number;
  /** Of them, those that began in the same worker; absent = all. */
  readonly own?: number;
  /** See `ChoiceCells.cost`; absent = not heard of. */
  readonly cost?: number;
  /** Of its resources; absent = nothing was known, or nobody asked. */
  readonly facts?: ResourceFacts;
}

/**
 * Everything that a decision depended on, and the decision. It survives JSON unchanged: numbers are as they were, and none of
 * them infinite. The same record gives the same decision in every process of the same revision.
 */
export interface RecordedDecision {
  readonly revision: number;
  readonly strategy: BuiltInStrategy;
  /** Absent where the strategy goes by none. */
  readonly settings?: StrategySettings;
  /** All backends of the pool that have a weight, in their order. */
  readonly candidates: readonly RecordedCandidate[];
  /** Requests under way in the whole pool, also on backends that are no candidates any more. */
  readonly inFlight: number;
  /** What the strategy remembered of earlier decisions; absent where it remembers nothing. */
  readonly memory?: readonly number[];
  /** Of the request, see `Features`. */
  readonly key: number;
  readonly tier: number;
  /** Absent = unknown. */
  readonly from?: SpherePoint;
  /** Of the generator, before the decision; see `FastRandom.seed`. */
  readonly seed: readonly number[];
  /** Ids of the backends that were tried before. */
  readonly tried: readonly string[];
  /** Id of the backend; null when none was left. */
  readonly chosen: string | null;
}
