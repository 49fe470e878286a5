import { onSphere, type Place } from '../resource/place.ts';
import type { ResourceTable } from '../resource/resource-table.ts';
import type { FastRandom } from '../strategies/fast-random.ts';
import type { Candidate, CandidatePool } from '../strategies/strategy.ts';
import {
  DECISION_REVISION,
  type RecordedCandidate,
  type RecordedPick,
  type RecordedResourceChoice,
} from './recorded-decision.ts';

/** What a pick depends on beside its pool. */
export interface PickAsk {
  readonly key: number;
  readonly random: FastRandom;
}

/** Picks from a pool, which goes on as after any other pick, and records what that depended on. */
export function recordPick<C extends Candidate>(
  strategy: RecordedPick['strategy'],
  pool: CandidatePool<C>,
  tried: readonly C[],
  ask: PickAsk,
): RecordedPick {
  const memory = pool.chooser.memory?.(pool);
  const before = {
    strategy,
    revision: DECISION_REVISION,
    candidates: pool.members.map((member) => recorded(member)),
    inFlight: pool.inFlight,
    ...(memory === undefined ? {} : { memory }),
    key: ask.key,
    seed: ask.random.seed,
    tried: tried.map(({ id }) => id),
  };
  return { ...before, chosen: pool.chooser.pick(pool, tried, ask)?.id ?? null };
}

function recorded({ id, fullWeight, weight, open, inFlight, own, cost }: Candidate): RecordedCandidate {
  return {
    id,
    fullWeight,
    ...(weight === fullWeight ? {} : { weight }),
    ...(open ? {} : { open }),
    ...(inFlight === 0 ? {} : { inFlight }),
    ...(own === inFlight ? {} : { own }),
    ...(Number.isFinite(cost) ? { cost } : {}),
  };
}

/** What a choice by resources depends on beside its table. */
export interface ResourceAsk {
  readonly tier: string;
  readonly from?: Place;
  readonly chance: number;
  /** Ids. */
  readonly tried: readonly string[];
}

/** Chooses from a table of resources and records what that depended on. */
export function recordResourceChoice(table: ResourceTable, ask: ResourceAsk): RecordedResourceChoice {
  const { tiers, scoring } = table;
  // The table changes its own.
  const rows = [...table.rows];
  const record = { strategy: 'resource', revision: DECISION_REVISION, tiers, scoring, rows, ...ask } as const;
  return { ...record, chosen: chooseByResources(table, ask) };
}

/** The id of the backend that a table gives to a request, null when none fits. */
export function chooseByResources(
  table: ResourceTable,
  { tier, from, chance, tried }: ResourceAsk,
): string | null {
  const without = tried.map((id) => table.rows.findIndex((row) => row.id === id));
  const point = from === undefined ? undefined : onSphere(from);
  const row = table.choose({ tier: table.tierIndex(tier), from: point, chance, without });
  return table.rows[row]?.id ?? null;
}
