import type { Place } from '../resource/place.ts';
import type { ResourceBackend } from '../resource/machine.ts';
import type { ScoringSettings } from '../resource/score.ts';
import type { Tier } from '../resource/tier.ts';
import type { BuiltInStrategy } from '../settings.ts';

/**
 * Everything that a decision depended on, and the decision. It survives JSON unchanged: numbers as they are, and none of
 * them infinite. The same record gives the same decision in every process of the same revision.
 */
export type RecordedDecision = RecordedPick | RecordedResourceChoice;

/** Rises with every change of a strategy that has it decide otherwise than before. */
export const DECISION_REVISION = 1;

/** A backend as a pick found it. */
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
}

/** A pick by one of the strategies that go from request to request. */
export interface RecordedPick {
  readonly strategy: Exclude<BuiltInStrategy, 'resource'>;
  readonly revision: number;
  /** All backends of the pool that have a weight, in their order. */
  readonly candidates: readonly RecordedCandidate[];
  /** Requests under way in the whole pool, also on backends that are no candidates any more. */
  readonly inFlight: number;
  /** What the strategy remembered of earlier picks; absent where it remembers nothing. */
  readonly memory?: readonly number[];
  /** Hash of the part of the request that counts. */
  readonly key: number;
  /** Of the generator, before the pick. */
  readonly seed: readonly number[];
  /** Ids of the backends that were tried before. */
  readonly tried: readonly string[];
  /** Id of the backend; null when none was left. */
  readonly chosen: string | null;
}

/** A choice by resources. */
export interface RecordedResourceChoice {
  readonly strategy: 'resource';
  readonly revision: number;
  readonly tiers: readonly Tier[];
  readonly scoring: ScoringSettings;
  readonly rows: readonly ResourceBackend[];
  /** Name of the request's. */
  readonly tier: string;
  /** Where the client was; absent = unknown. */
  readonly from?: Place;
  /** Chance, uniform in [0, 1). */
  readonly chance: number;
  /** Ids of the backends that were tried before. */
  readonly tried: readonly string[];
  /** Id of the backend; null when none fitted. */
  readonly chosen: string | null;
}
