import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runSeeds } from './many.ts';
import { provokeAll } from './mutations/provoke.ts';
import { describeStep } from './plan/plan.ts';
import { shrink } from './plan/shrink.ts';
import { type RunResult, run } from './run.ts';

/**
 * `npm run simulate`: runs the fleet of a seed in one process under random faults and checks what must hold.
 * `-- --seeds N` runs N seeds, `--from N` begins with that one, `--threads N` shares them among so many (as many as there
 * are processors), `--minutes N` begins no more after that; `--seed N` repeats one, with `--keep 1,4` only these steps of
 * its plan, and with `--trace` says everything that happens. `--mutations` plants faults in the fleet and sees them found.
 */

const SEEDS_DEFAULT = 1_000;
const PROGRESS_SEEDS = 1_000;
const LINES_SHOWN = 40;
/** What goes to and fro all the time and says nothing. */
const ROUTINE = /: (?:answer to )?(?:ping|ask for the session|lease \S+|usher\.(?:in_flight|stats)\.\S+)$/;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    from: { type: 'string' },
    threads: { type: 'string' },
    minutes: { type: 'string' },
    keep: { type: 'string' },
    trace: { type: 'boolean' },
    mutations: { type: 'boolean' },
  },
});

if (values.mutations === true) await mutations();
else if (values.seed !== undefined) await one(whole('seed', values.seed));
else await many(whole('from', values.from ?? '1'), whole('seeds', values.seeds ?? String(SEEDS_DEFAULT)));

async function one(seed: number): Promise<void> {
  const keep = values.keep
    ?.split(',')
    .filter(Boolean)
    .map((id) => whole('keep', id));
  const print = values.trace === true ? (line: string) => console.log(line) : undefined;
  const result = await run(seed, { keep: keep && new Set(keep), print });
  console.log(
    `seed ${seed}: ${result.records} records, ${result.answered} requests, digest ${result.digest}`,
  );
  if (result.finding !== undefined) await show(result, keep === undefined);
}

async function many(from: number, count: number): Promise<void> {
  const startMs = performance.now();
  const endMs =
    startMs + (values.minutes === undefined ? Infinity : whole('minutes', values.minutes) * 60_000);
  let told = 0;
  const tell = (ran: number): void => {
    told = ran;
    const seconds = (performance.now() - startMs) / 1_000;
    console.log(`${ran} seeds in ${seconds.toFixed(0)} s (${(ran / seconds).toFixed(1)} a second), all hold`);
  };
  let ran = 0;
  const failed = await runSeeds({
    from,
    count,
    threads: values.threads === undefined ? availableParallelism() : whole('threads', values.threads),
    goesOn: () => performance.now() < endMs,
    onProgress: (now) => {
      ran = now;
      if (ran - told >= PROGRESS_SEEDS) tell(ran);
    },
  });
  if (failed !== undefined) await show(await run(failed), true);
  else if (ran > told) tell(ran);
}

/** Says what did not hold, and the fewest steps that lead to it. */
async function show(failed: RunResult, shrinking: boolean): Promise<void> {
  process.exitCode = 1;
  const { seed, finding } = failed;
  console.error(`seed ${seed}: ${finding?.invariant}\n  ${finding?.detail}`);
  if (!shrinking) return;
  const { result, keep } = await shrink(failed, (steps) => run(seed, { keep: steps }));
  console.error(`of ${failed.plan.steps.length} steps these are enough:`);
  for (const step of failed.plan.steps) if (keep.has(step.id)) console.error(`  ${describeStep(step)}`);
  console.error('the end of what happened:');
  const telling = result.lastLines.filter((line) => !ROUTINE.test(line));
  for (const line of telling.slice(-LINES_SHOWN)) console.error(`  ${line.slice(0, 300)}`);
  const kept = keep.size === 0 ? '' : ` --keep ${[...keep].join()}`;
  console.error(`again: npm run simulate -- --seed ${seed}${kept} --trace`);
}

async function mutations(): Promise<void> {
  for await (const { name, seed, runs, finding } of provokeAll()) {
    if (finding === undefined) process.exitCode = 1;
    const what = finding === undefined ? `NOT found in ${runs} seeds` : `seed ${seed}: ${finding.invariant}`;
    console.log(`${name}: ${what}`);
  }
}

function whole(name: string, text: string): number {
  if (!/^\d{1,10}$/.test(text)) {
    console.error(`--${name} is a whole number, not ${text}`);
    process.exit(2);
  }
  return Number(text);
}
