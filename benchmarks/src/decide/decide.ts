import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { STRATEGIES } from '@usher/domain';
import { type Machine, machine } from '../http/machine.ts';
import { KEEPING_DECISIONS, keptBytes, nanoseconds, ROUNDS } from '../measure.ts';
import { UsageError } from '../usage-error.ts';
import { growthChart, type Series } from './growth-chart.ts';
import { measureResource, type ResourceResult } from './resource.ts';
import { Workload } from './workload.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const SIZES = [1, 10, 100, 1_000, 10_000];
/** Of the pools in which it is looked what decisions leave behind. */
const KEEPING_SIZE = 100;

interface Row {
  readonly strategy: string;
  /** Nanoseconds for each size: a pick alone, and a whole request with what its begin and end change for the strategy. */
  readonly pick: readonly number[];
  readonly request: readonly number[];
  /** Left on the heap by a million requests. */
  readonly keptBytes: number;
}

/** Nanoseconds per decision of every strategy, by the number of backends, and what decisions leave on the heap. */
export async function run(args: readonly string[]): Promise<void> {
  const { save } = readFlags(args);
  const rows = Object.entries(STRATEGIES).map(([strategy, rule]): Row => {
    const workloads = SIZES.map((size) => new Workload(rule, size));
    const keeping = new Workload(rule, KEEPING_SIZE);
    return {
      strategy,
      pick: workloads.map((workload) => nanoseconds(() => workload.pick())),
      request: workloads.map((workload) => nanoseconds(() => workload.request())),
      keptBytes: keptBytes(() => keeping.request()),
    };
  });
  const resources = SIZES.map((size) => measureResource(size));
  const from = machine();
  const report = asMarkdown(rows, resources, from);
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

/** Values by size, one line for each name. */
function table(lines: readonly (readonly [string, readonly number[]])[]): string[] {
  return [
    `| | ${SIZES.map((size) => size.toLocaleString('en')).join(' | ')} |`,
    `| --- |${SIZES.map(() => ' ---: |').join('')}`,
    ...lines.map(([name, values]) => `| ${name} | ${values.map((ns) => ns.toFixed(0)).join(' | ')} |`),
  ];
}

function asMarkdown(
  rows: readonly Row[],
  resources: readonly ResourceResult[],
  { cpu, cores, system, node, commit, measuredAt, load }: Machine,
): string {
  const resource = (of: (result: ResourceResult) => number): number[] => resources.map((each) => of(each));
  return [
    '# Deciding',
    '',
    `Measured ${measuredAt} by \`npm run bench -- decide --save\` on ${cpu}, ${cores} cores, ${system}, Node ${node},`,
    `commit ${commit}; one thread, ${load} processes wanted a CPU in the last minute. Nanoseconds of CPU time, median of ${ROUNDS}`,
    'rounds, by the number of backends. Weights are 1, 2 and 4 in turn, 256 requests are under way; for `resource` clients and',
    'backends are all over the Earth, all with coordinates, and requests need two cores and memory.',
    '',
    '## A request: the pick, and what its begin, answer and end change for the strategy',
    '',
    ...table(rows.map(({ strategy, request }) => [`\`${strategy}\``, request])),
    '',
    '## The pick alone',
    '',
    ...table(rows.map(({ strategy, pick }) => [`\`${strategy}\``, pick])),
    '',
    '## By resources',
    '',
    ...table([
      ['clients and backends with coordinates', resource(({ worldwide }) => worldwide)],
      ['without coordinates', resource(({ nowhere }) => nowhere)],
      ['all backends equal', resource(({ equal }) => equal)],
      ['a new report of one backend', resource(({ update }) => update)],
    ]),
    '',
    '## What decisions leave behind',
    '',
    `Bytes on the heap after ${KEEPING_DECISIONS.toLocaleString('en')} requests for ${KEEPING_SIZE} backends and a collection, beyond those`,
    'before. One object for each decision would be millions of them; below 0 the collection found more than the requests left.',
    '',
    '| | bytes |',
    '| --- | ---: |',
    ...rows.map((row) => `| \`${row.strategy}\` | ${row.keptBytes.toLocaleString('en')} |`),
    '',
  ].join('\n');
}
