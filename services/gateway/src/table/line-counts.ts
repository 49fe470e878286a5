import type { LineCounts, LineExit } from '../waiting.ts';

/** Every way in which a wait ends. */
export const LINE_EXITS = [
  'served',
  'timeout',
  'left',
  'refused',
  'no_backend',
] as const satisfies readonly LineExit[];

/** What the lines of several workers come to together; there has to be one at least. */
export function sumOfLines(lines: readonly LineCounts[]): LineCounts {
  return lines.reduce((a, b) => ({
    waiting: a.waiting + b.waiting,
    exits: {
      served: a.exits.served + b.exits.served,
      timeout: a.exits.timeout + b.exits.timeout,
      left: a.exits.left + b.exits.left,
      refused: a.exits.refused + b.exits.refused,
      no_backend: a.exits.no_backend + b.exits.no_backend,
    },
    waits: a.waits.map((count, bucket) => count + (b.waits[bucket] ?? 0)),
    waitSumMs: a.waitSumMs + b.waitSumMs,
  }));
}
