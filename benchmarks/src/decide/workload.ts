import {
  type Ask,
  type Candidate,
  type CandidatePool,
  DEFAULT_SCORING,
  FastRandom,
  hashOf,
  NO_FEATURES,
  newCells,
  type Strategy,
  setCandidates,
} from '@usher/domain';
import { machineBy, pointBy, TIER } from './machines.ts';

/** Requests under way at any time. */
const UNDER_WAY = 256;
/** Different clients, so that no request is like the one before. */
const CLIENTS = 4096;
const WEIGHTS = [1, 2, 4];

interface Backend extends Candidate {
  inFlight: number;
  own: number;
}

/** A pool with one strategy and a steady number of requests under way, without the requests. */
export class Workload {
  readonly #pool: CandidatePool<Backend>;
  readonly #hears: boolean;
  readonly #ask: { -readonly [K in keyof Ask]: Ask[K] };
  readonly #keys = Array.from({ length: CLIENTS }, (_, each) => hashOf(`client-${each}`));
  readonly #points: readonly Ask['from'][];
  readonly #underWay: Backend[] = [];
  #requests = 0;
  #nowMs = 1_000_000_000;

  constructor(strategy: Strategy, size: number) {
    const seed = FastRandom.from([0.1, 0.2, 0.3, 0.4]);
    const chooser = strategy.create<Backend>({ tiers: [TIER], scoring: DEFAULT_SCORING });
    this.#hears = strategy.needsAnswers;
    this.#ask = { ...NO_FEATURES, key: 0, random: seed };
    this.#points = this.#keys.map(() => pointBy(seed));
    this.#pool = { members: [], eligible: [], totalWeight: 0, inFlight: 0, chooser };
    const backends = Array.from({ length: size }, (_, index): Backend => {
      const weight = WEIGHTS[index % WEIGHTS.length]!;
      const load = { inFlight: 0, own: 0, facts: machineBy(seed) };
      return { ...newCells(), id: `backend-${index}`, weight, fullWeight: weight, ...load };
    });
    setCandidates(this.#pool, backends, backends);
    for (const backend of backends) chooser.heard?.(backend, 'answered', this.#latencyMs(), this.#nowMs);
    for (let each = 0; each < UNDER_WAY; each++) this.#underWay.push(this.#begin());
  }

  pick(): Backend {
    const client = ++this.#requests % CLIENTS;
    this.#ask.key = this.#keys[client]!;
    this.#ask.from = this.#points[client];
    const choice = this.#pool.chooser.pick(this.#pool, NONE, this.#ask);
    if (choice === undefined) throw new Error('nobody was chosen');
    return choice;
  }

  /** One begins and the oldest ends. */
  request(): void {
    const at = this.#requests % UNDER_WAY;
    const oldest = this.#underWay[at]!;
    this.#nowMs += 0.1;
    if (this.#hears) this.#pool.chooser.heard?.(oldest, 'answered', this.#latencyMs(), this.#nowMs);
    this.#count(oldest, -1);
    this.#underWay[at] = this.#begin();
  }

  #begin(): Backend {
    const choice = this.pick();
    this.#count(choice, 1);
    return choice;
  }

  #count(backend: Backend, requests: 1 | -1): void {
    backend.inFlight += requests;
    backend.own += requests;
    this.#pool.inFlight += requests;
    this.#pool.chooser.moved?.(backend);
  }

  #latencyMs(): number {
    return 10 + 10 * this.#ask.random.next();
  }
}

const NONE: readonly Backend[] = [];
