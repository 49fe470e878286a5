import type { World } from '../world/world.ts';

/** What must hold, whatever breaks. */
export const INVARIANTS = [
  'capacity is never exceeded',
  'no acknowledged command is lost or applied twice',
  'all projections are equal after quiet',
  'a replay gives the live digest',
  'at most one leader acts',
  'the fleet breaker opens by a quorum',
  'a drain ends empty or at its deadline',
  'requests go only where they may',
  'never too much of a pool is ejected',
  'every event is declared and written by its writer',
  'nothing is under way less than zero times',
  'what was reserved is given back',
  'facts are counted once',
  'health follows probes',
  'the fleet is well again after quiet',
  'nothing fails inside',
] as const;
export type Invariant = (typeof INVARIANTS)[number];

export interface Finding {
  readonly invariant: Invariant;
  readonly detail: string;
}

/** Takes what does not hold; the first finding ends the run, for what comes after may follow from it. */
export class Findings {
  readonly #world: World;
  #first: Finding | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  get first(): Finding | undefined {
    return this.#first;
  }

  report(invariant: Invariant, detail: string): void {
    if (this.#first !== undefined) return;
    this.#first = { invariant, detail };
    this.#world.note('finding', `${invariant}: ${detail}`);
    this.#world.stop();
  }
}
