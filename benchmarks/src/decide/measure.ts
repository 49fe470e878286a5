import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { median } from '../http/results.ts';

export const ROUNDS = 7;
const ROUND_US = 40_000;
const BATCH = 1_000;
/** After how many decisions it is looked what they left behind. */
export const KEEPING_DECISIONS = 1_000_000;
const WARM_UP_DECISIONS = 50_000;

/**
 * Nanoseconds that one call takes: CPU time of this thread, which other processes do not lengthen; median over rounds, of which
 * the first only warms up.
 */
export function nanoseconds(act: () => void): number {
  const rounds = Array.from({ length: ROUNDS + 1 }, () => {
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
  });
  return median(rounds.slice(1));
}

/** Bytes of the heap that are in use after a million calls and a collection, beyond those that were before. */
export function keptBytes(act: () => void): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let each = 0; each < WARM_UP_DECISIONS; each++) act();
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let each = 0; each < KEEPING_DECISIONS; each++) act();
  collect();
  return process.memoryUsage().heapUsed - before;
}
