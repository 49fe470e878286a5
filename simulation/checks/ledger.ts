import type { Findings } from './findings.ts';

/** After so long without a word from a gateway the store gives away what it holds, as it must. */
const LEASE_MS = 10_000;

/** A request that is under way on a backend, as it really is. */
export interface UnderWay {
  readonly backend: string;
  readonly gateway: string;
  /** The life of the gateway that it is in. */
  readonly life: string;
  /** What its tier takes of the backend; 0 where nothing is reserved. */
  readonly milliCpu: number;
  /** It may run beyond what the store knows. */
  excused: boolean;
}

/** The truth about requests: what is under way where, and how many have ended. */
export class Ledger {
  readonly #findings: Findings;
  readonly #now: () => number;
  readonly #underWay = new Set<UnderWay>();
  /** When the store last heard of each gateway. */
  readonly #heardMs = new Map<string, number>();
  /** By backend, what it has for reservations. */
  readonly #capacity: ReadonlyMap<string, number>;
  readonly #exact: boolean;
  /** Attempts that ended, by life of the gateway and backend. */
  readonly ended = new Map<string, Map<string, number>>();
  answered = 0;
  refused = 0;

  /** `exact`: requests that reserve are served by reservation alone. */
  constructor(findings: Findings, now: () => number, capacity: ReadonlyMap<string, number>, exact: boolean) {
    this.#findings = findings;
    this.#now = now;
    this.#capacity = capacity;
    this.#exact = exact;
  }

  begin(backend: string, gateway: string, life: string, milliCpu: number): UnderWay {
    const one = { backend, gateway, life, milliCpu, excused: false };
    this.#underWay.add(one);
    if (milliCpu > 0 && this.#exact) this.#weigh(backend);
    return one;
  }

  end(one: UnderWay): void {
    if (!this.#underWay.delete(one)) {
      this.#findings.report('nothing is under way less than zero times', `${one.backend} ended twice`);
      return;
    }
    let counts = this.ended.get(one.life);
    if (counts === undefined) this.ended.set(one.life, (counts = new Map()));
    counts.set(one.backend, (counts.get(one.backend) ?? 0) + 1);
  }

  /** A gateway or one of its workers is gone, and with it what it had under way. */
  drop(ones: Iterable<UnderWay>): void {
    for (const one of ones) this.#underWay.delete(one);
  }

  /** The store took a call of a gateway. */
  heard(gateway: string): void {
    this.#excuse(gateway);
    this.#heardMs.set(gateway, this.#now());
  }

  on(backend: string): readonly UnderWay[] {
    return [...this.#underWay].filter((one) => one.backend === backend);
  }

  get size(): number {
    return this.#underWay.size;
  }

  #weigh(backend: string): void {
    let sum = 0;
    for (const one of this.#underWay) {
      if (one.backend !== backend) continue;
      this.#excuse(one.gateway);
      if (!one.excused) sum += one.milliCpu;
    }
    const capacity = this.#capacity.get(backend) ?? Number.POSITIVE_INFINITY;
    if (sum <= capacity) return;
    this.#findings.report('capacity is never exceeded', `${backend} serves ${sum} of ${capacity} milliCpu`);
  }

  /** What a gateway has under way that the store has not heard of for a lease runs without a reservation. */
  #excuse(gateway: string): void {
    const heardMs = this.#heardMs.get(gateway);
    if (heardMs === undefined || this.#now() - heardMs < LEASE_MS) return;
    for (const one of this.#underWay) if (one.gateway === gateway) one.excused = true;
  }
}
