import type { Clock, Log, Timer } from '@usher/ports';
import type { RunningWorker } from './worker-thread.ts';

/**
 * How often a worker is asked whether it is there, and how often in a row it may fail to say so. Looks are counted and not timed: when
 * the process was stopped or the machine slept, nobody said anything for long.
 */
const LOOK_EVERY_MS = 1_000;
const SILENT_MAX = 10;

/** What is watched of a place for a worker. */
export interface Watched {
  readonly index: number;
  readonly thread: RunningWorker | undefined;
  readonly listening: boolean;
  /** Looks since the worker was last heard of. */
  silent: number;
}

/**
 * Ends workers that are stuck, in a loop of a plugin for instance, so that they are started again: the kernel goes on giving them
 * connections, which nobody would ever serve.
 */
export function endStuckWorkers(clock: Clock, log: Log, places: readonly Watched[]): Timer {
  return clock.every(LOOK_EVERY_MS, () => {
    for (const place of places) {
      const { index, thread, listening } = place;
      if (thread === undefined || !listening) continue;
      place.silent += 1;
      if (place.silent <= SILENT_MAX) {
        thread.post({ kind: 'ping' });
        continue;
      }
      log.error('a gateway worker is stuck and is ended', { worker: index });
      void thread.kill();
    }
  });
}
