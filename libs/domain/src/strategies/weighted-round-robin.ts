import {
  type Candidate,
  type CandidatePool,
  type Chooser,
  isAnyLeft,
  type Measures,
  type Strategy,
} from './strategy.ts';

/** Turns that a retry may let pass while it waits for one of a backend that was not tried. */
const PASSED_TURNS_MAX = 10_000;
/** Sums are begun anew after so many turns, long before they lose precision. */
const TURNS_MAX = 2 ** 30;

/** Numbers at the head of a group in what is remembered. */
const GROUP_HEAD = 3;

/** Backends of equal weight. Their turns come in the order of the list, again and again. */
interface Group<C> {
  readonly weight: number;
  readonly members: readonly C[];
  /** Place of the next one, and how often all have had their turn. */
  next: number;
  rounds: number;
}

/**
 * Smooth weighted round robin: each turn credits everybody with their weight, is that of whoever has most, and is charged
 * to that one with the sum of weights. Shares are exact over one round of the weights and never come in bursts: 5, 1, 1
 * gives a a b a c a a. Among equal weights the credits only ever differ by the turns had, so it is enough to compare the
 * next of each weight: the cost grows with the number of different weights and not with that of the backends.
 */
class WeightedRoundRobin<C extends Candidate> implements Chooser<C> {
  #groups: readonly Group<C>[] = [];
  #turns = 0;
  #total = 0;

  update(pool: CandidatePool<C>): void {
    const known = this.#settle();
    const byWeight = new Map<number, C[]>();
    for (const candidate of pool.eligible) {
      if (!known.has(candidate)) candidate.credit = 0;
      const equals = byWeight.get(candidate.weight);
      if (equals === undefined) byWeight.set(candidate.weight, [candidate]);
      else equals.push(candidate);
    }
    this.#total = pool.totalWeight;
    this.#groups = Array.from(byWeight, ([weight, equals]) => ({
      weight,
      members: equals.toSorted((a, b) => b.credit - a.credit || a.order - b.order),
      next: 0,
      rounds: 0,
    }));
  }

  pick(pool: CandidatePool<C>, tried: readonly C[]): C | undefined {
    if (this.#turns > TURNS_MAX) this.update(pool);
    return this.#takeTurns(pool, tried);
  }

  peek(pool: CandidatePool<C>, tried: readonly C[]): C | undefined {
    const copy = new WeightedRoundRobin<C>();
    copy.#groups = this.#groups.map((group) => ({ ...group }));
    copy.#turns = this.#turns;
    copy.#total = this.#total;
    return copy.#takeTurns(pool, tried);
  }

  measures(): ReadonlyMap<C, Measures> {
    const turn = this.#turns + 1;
    return new Map(
      this.#groups.flatMap((group) =>
        group.members.map((candidate, place) => [
          candidate,
          { credit: this.#creditOf(candidate, group, place, turn) },
        ]),
      ),
    );
  }

  /** The turns of those who were tried pass. */
  #takeTurns(pool: CandidatePool<C>, tried: readonly C[]): C | undefined {
    if (!isAnyLeft(pool, tried)) return undefined;
    for (let passed = 0; passed < PASSED_TURNS_MAX; passed++) {
      const candidate = this.#takeTurn();
      if (tried.length === 0 || candidate === undefined || !tried.includes(candidate)) return candidate;
    }
    return pool.eligible.find((candidate) => !tried.includes(candidate));
  }

  /** The turns, then of each group its place in the round, the rounds, how many it has, and of each their place and credit. */
  memory(): number[] {
    const groups = this.#groups.flatMap(({ next, rounds, members }) => [
      next,
      rounds,
      members.length,
      ...members.flatMap(({ order, credit }) => [order, credit]),
    ]);
    return [this.#turns, ...groups];
  }

  recall({ eligible, totalWeight }: CandidatePool<C>, [turns = 0, ...rest]: readonly number[]): void {
    const groups: Group<C>[] = [];
    for (let at = 0; at < rest.length; ) {
      const [next = 0, rounds = 0, length = 0] = rest.slice(at, at + GROUP_HEAD);
      const first = at + GROUP_HEAD;
      at = first + 2 * length;
      const members = Array.from({ length }, (_, index) => {
        const member = eligible[rest[first + 2 * index]!]!;
        member.credit = rest[first + 2 * index + 1]!;
        return member;
      });
      groups.push({ weight: members[0]!.weight, members, next, rounds });
    }
    this.#groups = groups;
    this.#turns = turns;
    this.#total = totalWeight;
  }

  #takeTurn(): C | undefined {
    this.#turns += 1;
    let best: C | undefined;
    let bestGroup: Group<C> | undefined;
    let most = 0;
    for (const group of this.#groups) {
      const candidate = group.members[group.next]!;
      const credit = this.#creditOf(candidate, group, group.next, this.#turns);
      if (best !== undefined && (credit < most || (credit === most && candidate.order > best.order)))
        continue;
      best = candidate;
      bestGroup = group;
      most = credit;
    }
    if (bestGroup !== undefined && ++bestGroup.next === bestGroup.members.length) {
      bestGroup.next = 0;
      bestGroup.rounds += 1;
    }
    return best;
  }

  /** Writes to everybody what they have, and begins the sums anew. Answers with whom that was. */
  #settle(): ReadonlySet<C> {
    const known = new Set<C>();
    for (const group of this.#groups) {
      for (const [place, candidate] of group.members.entries()) {
        candidate.credit = this.#creditOf(candidate, group, place, this.#turns);
        known.add(candidate);
      }
    }
    this.#turns = 0;
    return known;
  }

  /** What the one at `place` of a group has after so many turns. */
  #creditOf({ credit }: C, { weight, next, rounds }: Group<C>, place: number, turns: number): number {
    return credit + weight * turns - this.#total * (rounds + (place < next ? 1 : 0));
  }
}

export const weightedRoundRobin: Strategy = {
  needsKey: false,
  needsAnswers: false,
  needsLoad: false,
  create: () => new WeightedRoundRobin(),
};
