import { METHODS } from 'node:http';

/** By method and status: `GET_200`. */
export type CountsByMethod = Readonly<Record<string, number>>;

const STATUSES = 1000;
/** What is counted for every other method, and where there is none: clients could make up any number of them. */
const OTHER = 'OTHER';
const KNOWN: ReadonlySet<string> = new Set(METHODS);

/** Answers by method and status, for those who asked for names of metrics that tell these apart. */
export class MethodCounts {
  readonly #cells = new Map<string, Float64Array>();

  count(method: string, status: number): void {
    const name = KNOWN.has(method) ? method : OTHER;
    let cells = this.#cells.get(name);
    if (cells === undefined) {
      cells = new Float64Array(STATUSES);
      this.#cells.set(name, cells);
    }
    cells[status]! += 1;
  }

  read(): CountsByMethod {
    const counts: Record<string, number> = {};
    for (const [method, cells] of this.#cells)
      for (const [status, count] of cells.entries()) if (count > 0) counts[`${method}_${status}`] = count;
    return counts;
  }
}

/** Those of several workers or lanes together. */
export function sumByMethod(all: readonly CountsByMethod[]): CountsByMethod {
  const sums: Record<string, number> = {};
  for (const counts of all)
    for (const [key, count] of Object.entries(counts)) sums[key] = (sums[key] ?? 0) + count;
  return sums;
}
