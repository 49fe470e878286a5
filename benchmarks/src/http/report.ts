import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Machine, machine } from './machine.ts';
import type { Ratio, Result, Row } from './results.ts';

/** What a benchmark found. */
export interface Report {
  /** Of the benchmark, for the name of the file. */
  readonly name: string;
  readonly title: string;
  /** How it was measured, in lines. */
  readonly explanation: readonly string[];
  /** The results for people, in lines. */
  readonly tables: readonly string[];
  /** The results for programs. */
  readonly results: unknown;
}

const RESULTS = fileURLToPath(new URL('../../results/', import.meta.url));

/** Prints a report and, if that is wanted, writes it below benchmarks/results/. */
export function publish(
  { json, save }: { readonly json: boolean; readonly save: boolean },
  report: Report,
): void {
  const where = machine();
  const page = asMarkdown(report, where);
  console.log(json ? JSON.stringify({ machine: where, results: report.results }, null, 2) : page);
  if (!save) return;
  mkdirSync(RESULTS, { recursive: true });
  const day = where.measuredAt.slice(0, 10);
  const file = path.join(RESULTS, `${day}-${report.name}-${where.commit.replace('+', '-changed')}.md`);
  writeFileSync(file, page);
  console.error(`wrote ${file}`);
}

function asMarkdown({ title, explanation, tables }: Report, where: Machine): string {
  return [
    `# ${title}`,
    '',
    `Measured ${where.measuredAt} at commit ${where.commit} on ${where.cpu}, ${where.cores} cores, ${where.system}, Node ${where.node}; load average at the end ${where.load}.`,
    '',
    ...explanation,
    ...tables,
    '',
  ].join('\n');
}

/** A table for each result of a contest, with its heading. */
export function contestTables(results: readonly Result[]): string[] {
  return results.flatMap(({ profile, reference, rows }) => [
    '',
    `## ${profile}`,
    '',
    ...table(header(reference), rows.map(cells)),
  ]);
}

/** The first column is text, the others are numbers. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [line(head), line(head.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(line)];
}

export function ratioText(ratio: Ratio | null): string {
  if (ratio === null) return 'not run';
  return `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`;
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function header(reference: string): string[] {
  const numbers = ['requests/s', 'p50 µs', 'p99 µs', 'CPU µs/request'];
  return ['Proxy', ...numbers, `× ${reference}`, 'cores used', 'RSS MiB', 'errors'];
}

function cells(row: Row): string[] {
  return [
    `${row.proxy} ${row.version}`,
    row.requestsPerSecond.toFixed(0),
    row.p50Us.toFixed(0),
    row.p99Us.toFixed(0),
    row.cpuUsPerRequest.toFixed(1),
    ratioText(row.cpuRatio),
    row.coresUsed.toFixed(2),
    (row.rssBytes / 2 ** 20).toFixed(0),
    String(row.errors),
  ];
}
