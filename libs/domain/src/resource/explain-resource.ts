import { type FitReason, fit, type Shortage } from './fit.ts';
import { machineOf, type ResourceBackend } from './machine.ts';
import { distanceKm, onSphere, type SpherePoint } from './place.ts';
import type { ResourceRequest, ResourceTable } from './resource-table.ts';
import { baseScore, type ScoreParts, scoreParts } from './score.ts';
import { NEAR_POINTS, unitAt, weightUnits } from './score-board.ts';

/** One backend of a decision. */
export interface ExplainedCandidate {
  readonly backend: string;
  readonly reason: FitReason | 'tried';
  readonly short?: Shortage | undefined;
  /** Absent where the place of the backend or of the client is unknown. */
  readonly distanceKm?: number | undefined;
  /** Weighted; present for every backend that fits. */
  readonly parts?: ScoreParts | undefined;
  readonly score?: number | undefined;
  /** How likely it was to be chosen, 0..1. */
  readonly share: number;
}

export interface ExplainedDecision {
  readonly tier: string;
  /** In the order of the rows. */
  readonly candidates: readonly ExplainedCandidate[];
  /** Id of the backend; undefined when none fits. */
  readonly chosen: string | undefined;
}

/**
 * The decision that `table.choose(request)` makes, with everything that led to it. It is worked out anew, by the same
 * rules and none of the shortcuts.
 */
export function explainResource(table: ResourceTable, request: ResourceRequest): ExplainedDecision {
  const rated = table.rows.map((backend, row) => rate(table, request, backend, row));
  const least = Math.min(...rated.map(({ score }) => score ?? Number.POSITIVE_INFINITY));
  const near = new Set<number>();
  for (const [row, { score }] of rated.entries()) {
    if (score !== undefined && score <= least + NEAR_POINTS) near.add(row);
  }
  const unitsOf = (row: number) => (near.has(row) ? weightUnits(table.rows[row]!.weight) : 0);
  let total = 0;
  for (const row of near) total += unitsOf(row);
  let unit = unitAt(request.chance, total);
  const row = table.order().find((each) => {
    unit -= unitsOf(each);
    return unit < 0;
  });
  const candidates = rated.map((each, index) => ({ ...each, share: unitsOf(index) / Math.max(1, total) }));
  const chosen = row === undefined ? undefined : table.rows[row]!.id;
  return { tier: table.tiers[request.tier]!.name, candidates, chosen };
}

function rate(
  table: ResourceTable,
  { tier, from, without }: ResourceRequest,
  backend: ResourceBackend,
  row: number,
): Omit<ExplainedCandidate, 'share'> {
  const wanted = table.tiers[tier]!;
  const machine = machineOf(backend);
  const { reason, short } = fit(backend, machine, wanted);
  const known = knownDistance(backend, from);
  const about = { backend: backend.id, distanceKm: known };
  if (reason !== 'ok') return { ...about, reason, short };
  if (without.includes(row)) return { ...about, reason: 'tried' };
  const others = scoreParts(machine, backend.latencyMs, wanted, table.scoring);
  const counted = known ?? (from === undefined ? 0 : table.kmToUnplaced(from));
  const distance = table.scoring.distance * counted;
  return { ...about, reason, parts: { distance, ...others }, score: baseScore(others) + distance };
}

function knownDistance({ place }: ResourceBackend, from: SpherePoint | undefined): number | undefined {
  const to = place && onSphere(place);
  return to === undefined || from === undefined ? undefined : distanceKm(to, from);
}
