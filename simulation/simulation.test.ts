import { expect, test } from 'vitest';
import { INVARIANTS } from './checks/findings.ts';
import { MUTATIONS } from './mutations/mutations.ts';
import { provoke, SEEDS_MAX } from './mutations/provoke.ts';
import { shrink } from './plan/shrink.ts';
import { run } from './run.ts';

const SEED = 7;

test('the same seed is the same run, event by event, and another seed is another', async () => {
  const lines: string[] = [];
  const first = await run(SEED, { print: (line) => lines.push(line) });
  const again: string[] = [];
  const second = await run(SEED, { print: (line) => again.push(line) });
  expect(again).toEqual(lines);
  expect(second.digest).toBe(first.digest);
  expect(lines.length).toBeGreaterThan(1_000);
  expect((await run(SEED + 1)).digest).not.toBe(first.digest);
});

test.each(MUTATIONS)(`a planted fault is found within ${SEEDS_MAX} seeds: $name`, async (mutation) => {
  const { finding } = await provoke(mutation);
  expect(mutation.foundBy).toContain(finding?.invariant);
});

test.each(INVARIANTS)('there is a planted fault that only this finds: %s', (invariant) => {
  expect(MUTATIONS.filter(({ foundBy }) => foundBy.every((each) => each === invariant))).not.toEqual([]);
});

test('a failure is repeated by its seed, and with so few steps that none can be spared', async () => {
  const { plant, foundBy } = MUTATIONS.find(({ name }) => name.includes('takes no word for'))!;
  const failed = await run(1, { tampering: plant() });
  expect(foundBy).toContain(failed.finding?.invariant);
  const { result, keep } = await shrink(failed, (steps) => run(1, { keep: steps, tampering: plant() }));
  expect(result.finding?.invariant).toBe(failed.finding?.invariant);
  expect(keep.size).toBeLessThan(failed.plan.steps.length);
  for (const spared of keep) {
    const fewer = new Set([...keep].filter((step) => step !== spared));
    const { finding } = await run(1, { keep: fewer, tampering: plant() });
    expect(finding?.invariant).not.toBe(failed.finding?.invariant);
  }
  const repeated = await run(1, { keep, tampering: plant() });
  expect(repeated.digest).toBe(result.digest);
});
