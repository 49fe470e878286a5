import type { Fit } from '../resource/fit.ts';
import type { ResourceFacts } from '../resource/machine.ts';
import type { SpherePoint } from '../resource/place.ts';
import type { ScoringSettings } from '../resource/score.ts';
import type { Tier } from '../resource/tier.ts';

/** What strategies keep with a backend. `newCells` makes them; only `strategies/` writes them. */
export interface ChoiceCells {
  /** It may be chosen: it is among the pool's `eligible`. */
  open: boolean;
  /** Place in `eligible`, by which ties are broken. */
  order: number;
  /** Sum of the weights up to and including this one in `eligible`, so that a weighted draw is a binary search. */
  cumulativeWeight: number;
  /** Credit of smooth weighted round robin. */
  credit: number;
  /** What it is ranked by in a heap, the place there (-1 = in none), and when its next turn is among those that tie. */
  rank: number;
  place: number;
  turn: number;
  /** When in the first round its first turn is, 0 to 1. */
  readonly phase: number;
  /** Smoothed time to the beginning of a response, and when it was last heard of; 0 = never. */
  latencyMs: number;
  latencyAtMs: number;
  /** The logarithm of the latency as it would have been at time 0, of which it has decayed to what it is. */
  cost: number;
}

/** `phase` differs from worker to worker, so that they do not all begin with the same backend. */
export function newCells(phase = 0.5): ChoiceCells {
  return {
    open: false,
    order: 0,
    cumulativeWeight: 0,
    credit: 0,
    rank: 0,
    place: -1,
    turn: 0,
    phase,
    latencyMs: 0,
    latencyAtMs: 0,
    cost: Number.NEGATIVE_INFINITY,
  };
}

/** What a strategy sees of a backend. */
export interface Candidate extends ChoiceCells {
  readonly id: string;
  /** Relative share at present, above 0: `fullWeight`, or a part of it during a slow start. */
  readonly weight: number;
  /** Relative share as declared. */
  readonly fullWeight: number;
  /** Requests under way, with an estimate of those that other workers and gateways began. */
  readonly inFlight: number;
  /** Of them, those that began here. */
  readonly own: number;
  /** What is known of its resources; undefined = nothing, or nobody asked. */
  readonly facts?: ResourceFacts | undefined;
}

/** What a strategy sees of a pool. `setCandidates` keeps the parts in step. */
export interface CandidatePool<C extends Candidate> {
  /** Everybody with a weight, eligible or not. */
  members: readonly C[];
  eligible: readonly C[];
  /** Of the eligible. */
  totalWeight: number;
  /** Requests under way in the whole pool, with the same estimate. */
  inFlight: number;
  chooser: Chooser<C>;
}

/** Chance for decisions: uniform in [0, 1). */
export interface Uniform {
  next(): number;
}

/** What of a request a choice may depend on. */
export interface Features {
  /** Hash of the part of the request that the pool's settings name, 32 bits unsigned; 0 unless the strategy needs it. */
  readonly key: number;
  /** Index of its tier among those of the pool; 0 where there are none. */
  readonly tier: number;
  /** Where the client is; undefined = unknown, or of no interest. */
  readonly from: SpherePoint | undefined;
}

/** Of a request that says nothing that matters. */
export const NO_FEATURES: Features = { key: 0, tier: 0, from: undefined };

/** What a choice may depend on beside the candidates. */
export interface Ask extends Features {
  readonly random: Uniform;
}

/** What a strategy goes by, as numbers with names, for people to read. */
export type Measures = Readonly<Record<string, number>>;

/** How a backend answered: `refused` is 429, a status of 500 and above, or no response; `left`: the client did not wait. */
export type Answer = 'answered' | 'refused' | 'left';

/**
 * A strategy at work on one pool. It reads no clock and has no chance of its own: the same calls in the same order lead to
 * the same choices.
 */
export interface Chooser<C extends Candidate> {
  /** Chooses among the eligible without those in `tried`; undefined when none is left. Allocates nothing for a first attempt. */
  pick(pool: CandidatePool<C>, tried: readonly C[], ask: Ask): C | undefined;
  /**
   * Whom `pick` would choose with the same arguments. It has no effect but the draws from `ask.random`. Absent where that
   * holds for `pick` itself.
   */
  peek?(pool: CandidatePool<C>, tried: readonly C[], ask: Ask): C | undefined;
  /** What the choice that `peek` answers goes by, for whom it looks at; as free of effects. */
  measures?(pool: CandidatePool<C>, tried: readonly C[], ask: Ask): ReadonlyMap<C, Measures>;
  /** Whom of the eligible the strategy itself leaves out, and why; as free of effects. */
  unfit?(pool: CandidatePool<C>, tried: readonly C[], ask: Ask): ReadonlyMap<C, Fit>;
  /** Whether one of the eligible has what a tier needs. Absent where everybody has. */
  fits?(candidate: C, tier: number): boolean;
  /** Who may be chosen has changed, or their weights. */
  update?(pool: CandidatePool<C>): void;
  /** The number of requests under way on a candidate has changed. */
  moved?(candidate: C): void;
  /** What is known of a candidate's resources has changed. */
  learned?(candidate: C): void;
  /** A backend began to answer, or failed to, `afterMs` after it got a request. */
  heard?(candidate: C, answer: Answer, afterMs: number, nowMs: number): void;
  /** What the next pick depends on beside the pool and the ask: what was picked before, as numbers. */
  memory?(pool: CandidatePool<C>): number[];
  /** Remembers what another chooser did in a pool of the same candidates. */
  recall?(pool: CandidatePool<C>, memory: readonly number[]): void;
}

/** What of a pool's settings a strategy goes by. */
export interface StrategySettings {
  /** What requests may need. */
  readonly tiers: readonly Tier[];
  readonly scoring: ScoringSettings;
}

/** A rule by which pools choose, and what it has to be told. What it does not need is not worked out. */
export interface Strategy {
  /** Picks depend on the request's key. */
  readonly needsKey: boolean;
  /** Picks depend on how backends answered. */
  readonly needsAnswers: boolean;
  /** Picks depend on the requests under way. */
  readonly needsLoad: boolean;
  /** Puts it to work on a pool. Without settings: for a pool without tiers, with the usual scoring. */
  create<C extends Candidate>(settings?: StrategySettings): Chooser<C>;
}

/** Sets who may be chosen. A weight of 0 is never chosen and is left out here, so no strategy meets one. */
export function setCandidates<C extends Candidate>(
  pool: CandidatePool<C>,
  candidates: readonly C[],
  eligible: readonly C[],
): void {
  for (const before of pool.eligible) before.open = false;
  pool.members = candidates.filter(({ fullWeight }) => fullWeight > 0);
  pool.eligible = eligible.filter(({ weight }) => weight > 0);
  let total = 0;
  for (const [order, candidate] of pool.eligible.entries()) {
    total += candidate.weight;
    candidate.cumulativeWeight = total;
    candidate.order = order;
    candidate.open = true;
  }
  pool.totalWeight = total;
  pool.chooser.update?.(pool);
}

/** Whether anybody is left to choose. */
export function isAnyLeft<C extends Candidate>({ eligible }: CandidatePool<C>, tried: readonly C[]): boolean {
  return tried.length === 0 ? eligible.length > 0 : eligible.some((candidate) => !tried.includes(candidate));
}
