import type { ResourceFacts } from '../resource/machine.ts';
import { FastRandom } from '../strategies/fast-random.ts';
import { STRATEGIES } from '../strategies/registry.ts';
import { type Candidate, type CandidatePool, newCells, setCandidates } from '../strategies/strategy.ts';
import { DECISION_REVISION, type RecordedCandidate, type RecordedDecision } from './recorded-decision.ts';

/** More pools than this are not kept at a time. */
const POOLS_MAX = 256;

interface Backend extends Candidate {
  weight: number;
  fullWeight: number;
  inFlight: number;
  own: number;
  facts: ResourceFacts | undefined;
}

interface Known {
  readonly pool: CandidatePool<Backend>;
  /** In the order of the records' candidates. */
  readonly backends: readonly Backend[];
}

/**
 * Makes recorded decisions again, from nothing but the records and by the code that made them. What it keeps from one record
 * to the next only saves time: the tables of the strategies that hash, as long as the backends stay the same.
 */
export class Redecider {
  readonly #known = new Map<string, Known>();

  /** Id of the backend that is chosen, null when none is. Throws a RangeError for a record of another revision. */
  decide(decision: RecordedDecision): string | null {
    const { revision, candidates, inFlight, memory, key, tier, from, seed, tried } = decision;
    if (revision !== DECISION_REVISION) {
      throw new RangeError(
        `a decision of revision ${revision} cannot be made again by revision ${DECISION_REVISION}`,
      );
    }
    const { pool, backends } = this.#poolOf(decision);
    for (const [index, candidate] of candidates.entries()) restore(backends[index]!, candidate);
    pool.inFlight = inFlight;
    const open = backends.filter((_, index) => candidates[index]!.open !== false);
    setCandidates(pool, backends, open);
    if (memory !== undefined) pool.chooser.recall?.(pool, memory);
    const without = backends.filter(({ id }) => tried.includes(id));
    return pool.chooser.pick(pool, without, { key, tier, from, random: FastRandom.from(seed) })?.id ?? null;
  }

  #poolOf({ strategy, settings, candidates }: RecordedDecision): Known {
    const name = JSON.stringify([strategy, settings, candidates.map(({ id }) => id)]);
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    if (this.#known.size === POOLS_MAX) this.#known.clear();
    const chooser = STRATEGIES[strategy].create<Backend>(settings);
    const pool = { members: [], eligible: [], totalWeight: 0, inFlight: 0, chooser };
    const made = { pool, backends: candidates.map((each) => newBackend(each)) };
    this.#known.set(name, made);
    return made;
  }
}

function newBackend({ id, fullWeight }: RecordedCandidate): Backend {
  return { ...newCells(), id, fullWeight, weight: fullWeight, inFlight: 0, own: 0, facts: undefined };
}

function restore(backend: Backend, recorded: RecordedCandidate): void {
  const { fullWeight, weight = fullWeight, inFlight = 0, own = inFlight, facts } = recorded;
  const { cost = Number.NEGATIVE_INFINITY } = recorded;
  Object.assign(backend, { fullWeight, weight, inFlight, own, cost, facts });
}
