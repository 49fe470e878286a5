import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { expect, test } from 'vitest';
import { BUILT_IN_STRATEGIES } from '../settings.ts';
import { uniform } from '../strategies/testing/pools.ts';
import type { RecordedDecision } from './recorded-decision.ts';
import { Redecider } from './redecider.ts';
import { recordedDecisions } from './testing/workload.ts';

const EPISODES = 7;
const DECISIONS_PER_EPISODE = 131;

function recorded(): RecordedDecision[] {
  return Array.from({ length: EPISODES }, (_, episode) =>
    BUILT_IN_STRATEGIES.flatMap((name, at) =>
      recordedDecisions(name, DECISIONS_PER_EPISODE, 1 + 100 * episode + at),
    ),
  ).flat();
}

/** Reads records from a file and writes the decisions to its output; there is nothing else that it could know. */
const ELSEWHERE = `
import { readFileSync } from 'node:fs';
import { Redecider } from ${JSON.stringify(new URL('../index.ts', import.meta.url).href)};
const again = new Redecider();
const lines = readFileSync(process.argv[1], 'utf8').trimEnd().split('\\n');
process.stdout.write(JSON.stringify(lines.map((line) => again.decide(JSON.parse(line)))));
`;

test('ten thousand recorded decisions of all strategies are the same in another process', () => {
  const order = uniform(4);
  // In any order: no decision needs those before it.
  const decisions = recorded()
    .map((decision) => ({ decision, at: order.next() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ decision }) => decision);
  expect(decisions.length).toBeGreaterThan(10_000);
  expect(new Set(decisions.map(({ strategy }) => strategy))).toEqual(new Set(BUILT_IN_STRATEGIES));
  const folder = mkdtempSync(join(tmpdir(), 'usher-decisions-'));
  try {
    const file = join(folder, 'decisions.jsonl');
    writeFileSync(file, decisions.map((decision) => `${JSON.stringify(decision)}\n`).join(''));
    const output = execFileSync(execPath, ['--input-type=module', '-e', ELSEWHERE, file], {
      encoding: 'utf8',
      maxBuffer: 2 ** 24,
    });
    const again = JSON.parse(output) as (string | null)[];
    const differing = decisions.filter(({ chosen }, at) => again[at] !== chosen);
    expect(differing.slice(0, 3)).toEqual([]);
    expect(again.length).toBe(decisions.length);
    // Neither always nobody nor always the same one.
    expect(new Set(again).size).toBeGreaterThan(12);
    expect(again.filter((id) => id === null).length / again.length).toBeLessThan(0.2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a decision depends on what is recorded of it', () => {
  const again = new Redecider();
  const decisions = recordedDecisions('p2c', 200, 9);
  const loaded = decisions.map((each) => ({
    ...each,
    candidates: each.candidates.map((one) => ({ ...one, inFlight: one.id === each.chosen ? 1_000 : 0 })),
  }));
  const moved = loaded.filter((each) => again.decide(each) !== each.chosen);
  expect(moved.length).toBeGreaterThan(100);
});

test('a decision of another revision is refused rather than made by other rules', () => {
  const [decision] = recordedDecisions('random', 1, 3);
  expect(() => new Redecider().decide({ ...decision!, revision: 0 })).toThrow('revision 0');
});
