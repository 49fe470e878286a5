import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { median } from './http/results.ts';

export const ROUNDS = 7;
const ROUND_US = 50_000;
const BATCH = 500;
/** After how many decisions it is looked what they left behind. */
export const KEEPING_DECISIONS = 1_000_000;
const WARM_UP_DECISIONS = 50_000;

/** Nanoseconds of one call within one round: CPU time of this thread, which other processes do not lengthen. */
export function roundNs(act: () => void): number {
  const before = process.threadCpuUsage();
  let acts = 0;
  let tookUs = 0;
  while (tookUs < ROUND_US) {
    for (let each = 0; each < BATCH; each++) act();
    acts += BATCH;
    const { user, system } = process.threadCpuUsage(before);
    tookUs = user + system;
  }
  return (tookUs * 1e3) / acts;
}

/** Median of what `round` measures, over rounds of which the first only warms up. */
export function medianOfRounds(round: () => number): number {
  return median(Array.from({ length: ROUNDS + 1 }, round).slice(1));
}

/** Nanoseconds that one call takes. */
export function nanoseconds(act: () => void): number {
  return medianOfRounds(() => roundNs(act));
}

/**
 * Bytes in use after a collection, inside and outside of the heap. To be measured last: a context of its own makes code slower
 * that was compiled for one.
 */
export function usedBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 3; round++) collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Bytes that a million calls left behind. */
export function keptBytes(act: () => void): number {
  for (let each = 0; each < WARM_UP_DECISIONS; each++) act();
  const before = usedBytes();
  for (let each = 0; each < KEEPING_DECISIONS; each++) act();
  return usedBytes() - before;
}
