import {
  type Ask,
  type Candidate,
  type CandidatePool,
  type Chooser,
  FastRandom,
  hashOf,
  NO_FEATURES,
  newCells,
  setCandidates,
} from '@usher/domain';

/** Requests under way at any time. */
const UNDER_WAY = 256;
const KEYS = 4096;
const WEIGHTS = [1, 2, 4];

interface Backend extends Candidate {
  inFlight: number;
}

/** A pool with one strategy and a steady number of requests under way, without the requests. */
export class Workload {
  readonly #pool: CandidatePool<Backend>;
  readonly #hears: boolean;
  readonly #ask: { -readonly [K in keyof Ask]: Ask[K] };
  readonly #keys = Array.from({ length: KEYS }, (_, each) => hashOf(`client-${each}`));
  readonly #underWay: Backend[] = [];
  #requests = 0;
  #nowMs = 1_000_000_000;

  constructor(chooser: Chooser<Backend>, hears: boolean, size: number) {
    const seed = new FastRandom({ next: () => 0.5 });
    this.#hears = hears;
    this.#ask = { ...NO_FEATURES, key: 0, random: seed };
    this.#pool = { members: [], eligible: [], totalWeight: 0, inFlight: 0, chooser };
    const backends = Array.from({ length: size }, (_, index): Backend => {
      const weight = WEIGHTS[index % WEIGHTS.length]!;
      return { ...newCells(), id: `backend-${index}`, weight, fullWeight: weight, inFlight: 0 };
    });
    setCandidates(this.#pool, backends, backends);
    for (const backend of backends) chooser.heard?.(backend, 'answered', this.#latencyMs(), this.#nowMs);
    for (let each = 0; each < UNDER_WAY; each++) this.#underWay.push(this.#begin());
  }

  pick(): Backend {
    this.#ask.key = this.#keys[++this.#requests % KEYS]!;
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
    this.#pool.inFlight += requests;
    this.#pool.chooser.moved?.(backend);
  }

  #latencyMs(): number {
    return 10 + 10 * this.#ask.random.next();
  }
}

const NONE: readonly Backend[] = [];
