import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Machine } from './machine.ts';
import type { Result, Row } from './results.ts';

export interface Report {
  readonly machine: Machine;
  readonly setup: {
    readonly seconds: number;
    readonly rounds: number;
    readonly connections: number;
    readonly backends: number;
  };
  readonly results: readonly Result[];
}

const HEADER = [
  'Proxy',
  'requests/s',
  'p50 µs',
  'p99 µs',
  'CPU µs/request',
  '× HAProxy',
  'core used',
  'RSS MiB',
  'errors',
];

const RESULTS = fileURLToPath(new URL('../../results/', import.meta.url));

/** The whole report as a page for people. */
export function asMarkdown({ machine, setup, results }: Report): string {
  const { seconds, rounds, connections, backends } = setup;
  return [
    '# HTTP proxies side by side',
    '',
    `Measured ${machine.measuredAt} at commit ${machine.commit} on ${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}; load average at the end ${machine.load}.`,
    '',
    `\`npm run bench -- --rounds ${rounds} --seconds ${seconds}\`: the proxies take turns, ${rounds} rounds of ${seconds} s each after a warm-up, ${connections} keep-alive connections.`,
    `Each proxy is pinned to one core with one thread for traffic; wrk and the ${backends} backends (one nginx) share another. Keep-alive to the backends,`,
    'least connections, X-Forwarded-For and a request id by all; access log off in all. Medians over the rounds; × HAProxy is the median of the',
    'ratios round by round, with the smallest and largest. CPU is user and system time of the whole process with all threads and children.',
    ...results.flatMap(({ profile, rows }) => ['', `## ${profile}`, '', ...table(rows)]),
    '',
  ].join('\n');
}

function table(rows: readonly Row[]): string[] {
  return [
    line(HEADER),
    line(HEADER.map((_, column) => (column === 0 ? '---' : '---:'))),
    ...rows.map((row) => line(cells(row))),
  ];
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function cells(row: Row): string[] {
  const { cpuRatio: ratio } = row;
  return [
    `${row.proxy} ${row.version}`,
    row.requestsPerSecond.toFixed(0),
    row.p50Us.toFixed(0),
    row.p99Us.toFixed(0),
    row.cpuUsPerRequest.toFixed(1),
    ratio === null
      ? 'not run'
      : `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`,
    `${(row.coreUsed * 100).toFixed(0)} %`,
    (row.rssBytes / 2 ** 20).toFixed(0),
    String(row.errors),
  ];
}

/** Writes the report below benchmarks/results/ and answers with its path. */
export function save(report: Report): string {
  mkdirSync(RESULTS, { recursive: true });
  const day = report.machine.measuredAt.slice(0, 10);
  const file = path.join(RESULTS, `${day}-http-${report.machine.commit.replace('+', '-changed')}.md`);
  writeFileSync(file, asMarkdown(report));
  return file;
}
