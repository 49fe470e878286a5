import { parentPort } from 'node:worker_threads';
import type { SeedRange, SeedsRan } from './many.ts';
import { run } from './run.ts';

/** A thread of `runSeeds`: runs the seeds that it is handed, up to the first at which something does not hold. */
parentPort?.on('message', ({ from, count }: SeedRange) => void runAll(from, count));

async function runAll(from: number, count: number): Promise<void> {
  let answer: SeedsRan = { ran: count };
  for (let seed = from; seed < from + count; seed++) {
    const { finding } = await run(seed);
    if (finding === undefined) continue;
    answer = { ran: seed - from + 1, failed: seed };
    break;
  }
  parentPort?.postMessage(answer, []);
}
