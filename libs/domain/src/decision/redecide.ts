import { ResourceTable } from '../resource/resource-table.ts';
import { FastRandom } from '../strategies/fast-random.ts';
import { STRATEGIES } from '../strategies/registry.ts';
import { type Candidate, type CandidatePool, newCells, setCandidates } from '../strategies/strategy.ts';
import { chooseByResources } from './record.ts';
import {
  DECISION_REVISION,
  type RecordedCandidate,
  type RecordedDecision,
  type RecordedPick,
} from './recorded-decision.ts';

interface Backend extends Candidate {
  weight: number;
  fullWeight: number;
  inFlight: number;
  own: number;
}

interface Pool extends CandidatePool<Backend> {
  members: readonly Backend[];
}

/**
 * Makes recorded decisions again, from nothing but the records and by the same code as the first time. What it keeps from one
 * record to the next only saves time: the tables of the strategies that hash, as long as the backends stay the same.
 */
export class Redecider {
  readonly #pools = new Map<string, { readonly pool: Pool; readonly backends: readonly Backend[] }>();

  /** Id of the backend that is chosen, null when none is. Throws when the record is of another revision. */
  decide(decision: RecordedDecision): string | null {
    if (decision.revision !== DECISION_REVISION) {
      throw new RangeError(
        `decisions of revision ${decision.revision} cannot be made again by revision ${DECISION_REVISION}`,
      );
    }
    if (decision.strategy !== 'resource') return this.#pick(decision);
    const table = new ResourceTable(decision.tiers, decision.scoring);
    table.reset(decision.rows);
    return chooseByResources(table, decision);
  }

  #pick({ strategy, candidates, inFlight, memory, key, seed, tried }: RecordedPick): string | null {
    const { pool, backends } = this.#poolOf(strategy, candidates);
    for (const [index, candidate] of candidates.entries()) restore(backends[index]!, candidate);
    pool.inFlight = inFlight;
    setCandidates(
      pool,
      backends,
      backends.filter((_, index) => candidates[index]!.open !== false),
    );
    if (memory !== undefined) pool.chooser.recall?.(pool, memory);
    const without = backends.filter(({ id }) => tried.includes(id));
    return pool.chooser.pick(pool, without, { key, random: FastRandom.from(seed) })?.id ?? null;
  }

  #poolOf(strategy: RecordedPick['strategy'], candidates: readonly RecordedCandidate[]) {
    const known = this.#pools.get(strategy);
    if (
      known?.backends.length === candidates.length &&
      known.backends.every(({ id }, index) => id === candidates[index]!.id)
    )
      return known;
    const pool: Pool = {
      members: [],
      eligible: [],
      totalWeight: 0,
      inFlight: 0,
      chooser: STRATEGIES[strategy].create(),
    };
    const backends = candidates.map(
      ({ id, fullWeight }): Backend => ({
        ...newCells(),
        id,
        weight: fullWeight,
        fullWeight,
        inFlight: 0,
        own: 0,
      }),
    );
    const made = { pool, backends };
    this.#pools.set(strategy, made);
    return made;
  }
}

function restore(backend: Backend, recorded: RecordedCandidate): void {
  const {
    fullWeight,
    weight = fullWeight,
    inFlight = 0,
    own = inFlight,
    cost = Number.NEGATIVE_INFINITY,
  } = recorded;
  Object.assign(backend, { fullWeight, weight, inFlight, own, cost });
}
