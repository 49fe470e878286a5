import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { STRATEGIES } from '@usher/domain';
import { type Machine, machine } from '../http/machine.ts';
import { median } from '../http/results.ts';
import { UsageError } from '../usage-error.ts';
import { growthChart, type Series } from './growth-chart.ts';
import { Workload } from './workload.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SIZES = [1, 10, 100, 1_000, 10_000];
const ROUNDS = 7;
const ROUND_US = 40_000;
const BATCH = 1_000;

interface Row {
  readonly strategy: string;
  /** Nanoseconds for each size: a pick alone, and a whole request with what its begin and end change for the strategy. */
  readonly pick: readonly number[];
  readonly request: readonly number[];
}

/** Nanoseconds per decision of every strategy, by the number of backends. */
export async function run(args: readonly string[]): Promise<void> {
  const { save } = readFlags(args);
  const rows = Object.entries(STRATEGIES).map(([strategy, rule]): Row => {
    const workloads = SIZES.map((size) => new Workload(rule.create(), rule.needsAnswers, size));
    return {
      strategy,
      pick: workloads.map((workload) => nanoseconds(() => workload.pick())),
      request: workloads.map((workload) => nanoseconds(() => workload.request())),
    };
  });
  const from = machine();
  const report = asMarkdown(rows, from);
  console.log(report);
  if (!save) return;
  const name = `${from.measuredAt.slice(0, 10)}-decide-${from.commit.replace('+', '-changed')}.md`;
  const series: Series[] = rows.map(({ strategy, request }) => ({ name: strategy, values: request }));
  write(path.join(ROOT, 'benchmarks/results', name), report);
  write(path.join(ROOT, 'docs/decide.svg'), growthChart(SIZES, series));
}

function write(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  console.error(`wrote ${file}`);
}

function readFlags(args: readonly string[]): { readonly save: boolean } {
  try {
    return parseArgs({ args: [...args], options: { save: { type: 'boolean', default: false } } }).values;
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

/** CPU time, which other processes do not lengthen: median over rounds, of which the first only warms up. */
function nanoseconds(act: () => void): number {
  const rounds = Array.from({ length: ROUNDS + 1 }, () => {
    const before = process.cpuUsage();
    let acts = 0;
    let tookUs = 0;
    while (tookUs < ROUND_US) {
      for (let each = 0; each < BATCH; each++) act();
      acts += BATCH;
      const { user, system } = process.cpuUsage(before);
      tookUs = user + system;
    }
    return (tookUs * 1e3) / acts;
  });
  return median(rounds.slice(1));
}

function asMarkdown(
  rows: readonly Row[],
  { cpu, cores, system, node, commit, measuredAt, load }: Machine,
): string {
  const table = (of: (row: Row) => readonly number[]): string[] => [
    `| | ${SIZES.map((size) => size.toLocaleString('en')).join(' | ')} |`,
    `| --- |${SIZES.map(() => ' ---: |').join('')}`,
    ...rows.map(
      (row) =>
        `| \`${row.strategy}\` | ${of(row)
          .map((ns) => ns.toFixed(0))
          .join(' | ')} |`,
    ),
  ];
  return [
    '# Deciding',
    '',
    `Measured ${measuredAt} by \`npm run bench -- decide --save\` on ${cpu}, ${cores} cores, ${system}, Node ${node},`,
    `commit ${commit}; one thread, ${load} processes wanted a CPU in the last minute. Nanoseconds of CPU time, median of ${ROUNDS}`,
    'rounds, by the number of backends. Weights are 1, 2 and 4 in turn, 256 requests are under way.',
    '',
    '## A request: the pick, and what its begin, answer and end change for the strategy',
    '',
    ...table(({ request }) => request),
    '',
    '## The pick alone',
    '',
    ...table(({ pick }) => pick),
    '',
  ].join('\n');
}
