import type { RunResult } from '../run.ts';

/** More runs than this make no plan much shorter. */
const RUNS_MAX = 150;

/**
 * Leaves steps out of a plan, many at a time at first, as long as a run without them still finds the same, until none of those
 * that are left can be spared. `again` runs the plan with these steps only.
 */
export async function shrink(
  failed: RunResult,
  again: (keep: ReadonlySet<number>) => Promise<RunResult>,
): Promise<{ readonly result: RunResult; readonly keep: ReadonlySet<number> }> {
  let best = { result: failed, keep: new Set(failed.plan.steps.map(({ id }) => id)) };
  let runs = 0;
  for (let size = Math.ceil(best.keep.size / 2); size >= 1 && runs < RUNS_MAX; ) {
    const before = best.keep.size;
    for (let at = 0; at < best.keep.size && runs < RUNS_MAX; ) {
      const steps = [...best.keep];
      const keep = new Set([...steps.slice(0, at), ...steps.slice(at + size)]);
      const result = await again(keep);
      runs += 1;
      if (result.finding?.invariant === failed.finding?.invariant) best = { result, keep };
      else at += size;
    }
    // Without one of them another may have become needless.
    if (size > 1) size = Math.ceil(size / 2);
    else if (best.keep.size === before) break;
  }
  return best;
}
