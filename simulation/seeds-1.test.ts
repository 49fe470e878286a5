import { expect, test } from 'vitest';
import { run } from './run.ts';

// Two files, so that two processors share the thousand.
const FROM = 1;
const SEEDS = 500;
const TOGETHER = 50;

const first = Array.from({ length: SEEDS / TOGETHER }, (_, index) => FROM + index * TOGETHER);

test.each(first)(`whatever breaks, what must hold holds: 50 seeds from %i`, async (from) => {
  for (let seed = from; seed < from + TOGETHER; seed++) {
    const { finding } = await run(seed);
    expect({ seed, finding }).toEqual({ seed, finding: undefined });
  }
});
