import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Seeds that a thread gets at a time. */
const TOGETHER = 25;

export interface SeedRange {
  readonly from: number;
  readonly count: number;
}

export interface SeedsRan {
  readonly ran: number;
  /** The first at which something did not hold. */
  readonly failed?: number;
}

interface ManySeeds extends SeedRange {
  readonly threads: number;
  /** Whether to begin with some more. */
  readonly goesOn: () => boolean;
  readonly onProgress: (ran: number) => void;
}

/** Runs seeds on several threads until one fails, and answers with the lowest that did. */
export async function runSeeds({
  from,
  count,
  threads,
  goesOn,
  onProgress,
}: ManySeeds): Promise<number | undefined> {
  const failed: number[] = [];
  let next = from;
  let ran = 0;
  const work = async (): Promise<void> => {
    const thread = new Worker(new URL('seed-thread.ts', import.meta.url));
    try {
      while (next < from + count && failed.length === 0 && goesOn()) {
        const range: SeedRange = { from: next, count: Math.min(TOGETHER, from + count - next) };
        next += range.count;
        thread.postMessage(range, []);
        const [answer]: SeedsRan[] = await once(thread, 'message');
        ran += answer?.ran ?? 0;
        if (answer?.failed !== undefined) failed.push(answer.failed);
        onProgress(ran);
      }
    } finally {
      await thread.terminate();
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
  return failed.length === 0 ? undefined : Math.min(...failed);
}
