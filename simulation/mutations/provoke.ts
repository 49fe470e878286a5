import type { Finding } from '../checks/findings.ts';
import { run } from '../run.ts';
import { MUTATIONS, type Mutation } from './mutations.ts';

/** A planted fault that takes more seeds than this to be found is as good as not found. */
export const SEEDS_MAX = 150;

export interface Provoked {
  readonly name: string;
  readonly seed: number;
  readonly runs: number;
  /** By one of those that must find it; undefined when none did. */
  readonly finding: Finding | undefined;
}

/** Runs seeds with a fault planted until one of the invariants that must find it does. */
export async function provoke({ name, foundBy, plant }: Mutation): Promise<Provoked> {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const { finding } = await run(seed, { tampering: plant() });
    if (finding !== undefined && foundBy.includes(finding.invariant))
      return { name, seed, runs: seed, finding };
  }
  return { name, seed: 0, runs: SEEDS_MAX, finding: undefined };
}

export async function* provokeAll(): AsyncGenerator<Provoked> {
  for (const mutation of MUTATIONS) yield await provoke(mutation);
}
