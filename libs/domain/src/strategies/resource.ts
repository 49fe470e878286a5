import { explainResource } from '../resource/explain-resource.ts';
import type { Fit } from '../resource/fit.ts';
import { NO_FACTS, type ResourceBackend } from '../resource/machine.ts';
import { ResourceTable } from '../resource/resource-table.ts';
import { DEFAULT_SCORING } from '../resource/score.ts';
import { NO_RESOURCES, type Tier } from '../resource/tier.ts';
import type {
  Ask,
  Candidate,
  CandidatePool,
  Chooser,
  Measures,
  Strategy,
  StrategySettings,
} from './strategy.ts';

/** What a request needs where no tiers are told apart. */
const ANY: Tier = { name: 'any', resources: NO_RESOURCES };
const USUAL: StrategySettings = { tiers: [], scoring: DEFAULT_SCORING };

/**
 * The backend with the least sum of distance, load and latency among those that have what the request's tier needs.
 * Those that are nearly as good share by weight. See `libs/domain/src/resource/`.
 */
class Resource<C extends Candidate> implements Chooser<C> {
  readonly #table: ResourceTable;
  /** Of the decision under way, so that none makes a new one. */
  readonly #request = { tier: 0, from: undefined as Ask['from'], chance: 0, without: [] as number[] };

  constructor({ tiers, scoring }: StrategySettings) {
    this.#table = new ResourceTable(tiers.length === 0 ? [ANY] : tiers, scoring);
  }

  update({ eligible }: CandidatePool<C>): void {
    this.#table.reset(eligible.map(asBackend));
  }

  learned(candidate: C): void {
    if (candidate.open) this.#table.update(candidate.order, asBackend(candidate));
  }

  fits(candidate: C, tier: number): boolean {
    return candidate.open && this.#table.fits(candidate.order, tier);
  }

  pick({ eligible }: CandidatePool<C>, tried: readonly C[], { tier, from, random }: Ask): C | undefined {
    const request = this.#request;
    request.tier = tier;
    request.from = from;
    request.chance = random.next();
    request.without.length = 0;
    for (const { open, order } of tried) if (open) request.without.push(order);
    return eligible[this.#table.choose(request)];
  }

  measures(pool: CandidatePool<C>, tried: readonly C[], ask: Ask): ReadonlyMap<C, Measures> {
    return new Map(
      this.#explained(pool, tried, ask).map(([candidate, { score, parts, distanceKm, share }]) => {
        const place = distanceKm === undefined ? {} : { distanceKm };
        return [candidate, score === undefined ? place : { score, share, ...parts, ...place }];
      }),
    );
  }

  unfit(pool: CandidatePool<C>, tried: readonly C[], ask: Ask): ReadonlyMap<C, Fit> {
    return new Map(
      this.#explained(pool, tried, ask).flatMap(([candidate, { reason, short }]) =>
        reason === 'ok' || reason === 'tried' ? [] : [[candidate, { reason, short }]],
      ),
    );
  }

  #explained({ eligible }: CandidatePool<C>, tried: readonly C[], { tier, from, random }: Ask) {
    const without = tried.flatMap(({ open, order }) => (open ? [order] : []));
    const { candidates } = explainResource(this.#table, { tier, from, chance: random.next(), without });
    return candidates.map((each, order) => [eligible[order]!, each] as const);
  }
}

/** Candidates are eligible, so their regions say nothing against them. */
function asBackend({ id, weight, facts }: Candidate): ResourceBackend {
  return { ...(facts ?? NO_FACTS), id, weight, barred: 'ok' };
}

export const resource: Strategy = {
  needsKey: false,
  needsAnswers: false,
  needsLoad: false,
  create: (settings = USUAL) => new Resource(settings),
};
