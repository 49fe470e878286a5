import type { GpuStats } from '@usher/domain';

const MIB_BYTES = 1_048_576;
const FIELDS = [
  'index',
  'count',
  'utilization.gpu',
  'memory.used',
  'memory.total',
  'temperature.gpu',
  'power.draw',
];

/** Makes `nvidia-smi` print a line for each GPU, with these fields. */
export const GPU_QUERY = [`--query-gpu=${FIELDS.join(',')}`, '--format=csv,noheader,nounits'];

/** One line: which GPU it is, of how many, and what it tells; `stats` is undefined for one that tells nothing of use. */
export interface GpuRow {
  readonly index: number;
  readonly count: number;
  readonly stats: GpuStats | undefined;
}

/**
 * Reads a line of `GPU_QUERY`; undefined for anything else that the tool prints. What a GPU does not tell is a word in
 * brackets (`[N/A]`, `[Not Supported]`, `[Unknown Error]`, …) and counts as 0, with two exceptions. A GPU cut into
 * instances (MIG) does not tell how busy it is: then the share of its memory in use stands for it, so that it does not
 * look idle. And one that tells neither how busy it is nor how much memory it has (lost, in need of a reset) is not
 * reported, so that nothing is sent there for its sake.
 */
export function parseGpuRow(line: string): GpuRow | undefined {
  const values = line.split(',').map(numberOf);
  const [index, count, percent, usedMib = 0, totalMib, temperatureC = 0, powerW = 0] = values;
  if (values.length !== FIELDS.length || index === undefined || count === undefined) return undefined;
  if (percent === undefined && totalMib === undefined) return { index, count, stats: undefined };
  const memoryPercent = totalMib === undefined || totalMib === 0 ? 0 : (usedMib / totalMib) * 100;
  const stats = {
    percent: Math.min(100, Math.max(0, percent ?? memoryPercent)),
    memoryUsedBytes: Math.round(usedMib * MIB_BYTES),
    memoryTotalBytes: Math.round((totalMib ?? 0) * MIB_BYTES),
    temperatureC,
    powerW: Math.max(0, powerW),
  };
  return { index, count, stats };
}

/** Undefined for a word. */
function numberOf(value: string): number | undefined {
  const text = value.trim();
  const number = Number(text);
  return text === '' || !Number.isFinite(number) ? undefined : number;
}

/** Puts the lines of one round together: the GPUs as they are at one time. */
export class GpuRounds {
  readonly #found: (gpus: readonly GpuStats[]) => void;
  #rows: GpuRow[] = [];

  constructor(found: (gpus: readonly GpuStats[]) => void) {
    this.#found = found;
  }

  /** A round ends with its last GPU, or, should that say nothing, where the next round begins. */
  add(row: GpuRow): void {
    const last = this.#rows.at(-1);
    if (last !== undefined && row.index <= last.index) this.#end();
    this.#rows.push(row);
    if (this.#rows.length >= row.count) this.#end();
  }

  #end(): void {
    const rows = this.#rows;
    this.#rows = [];
    this.#found(rows.flatMap(({ stats }) => stats ?? []));
  }
}
