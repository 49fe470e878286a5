import { setTimeout as sleep } from 'node:timers/promises';
import type { LogRecord, Position, Tail } from '@usher/ports';
import { Cursor, type Extent } from './cursor.ts';

/** What a follower needs to know of the log that it reads. */
export interface Followed {
  readonly dir: string;
  readonly extent: Extent;
  /** Position of the last record that can be read now. */
  head(): Promise<Position> | Position;
  /** Calls back when there may be more to read. */
  watch(watcher: () => void): () => void;
  /** A read failed; it is tried again. */
  failed(error: Error): void;
}

const RETRY_MS = 1000;

/** Replays, then reads on whenever there is more. */
export function followLog(log: Followed, after: Position, apply: (record: LogRecord) => void): Tail {
  const cursor = new Cursor(log.dir, log.extent, after);
  const stopping = new AbortController();
  const { promise: caughtUp, resolve: isCaughtUp } = Promise.withResolvers<void>();
  let awaken: (() => void) | undefined;
  let more = true;
  const unwatch = log.watch(() => {
    more = true;
    awaken?.();
  });
  const wanted = (): boolean => !stopping.signal.aborted;

  const run = async (): Promise<void> => {
    let goal: Position | undefined;
    while (wanted()) {
      more = false;
      try {
        goal ??= await log.head();
        await cursor.read(apply, Number.POSITIVE_INFINITY, wanted);
        if (cursor.position >= goal) isCaughtUp();
      } catch (error) {
        log.failed(error as Error);
        await sleep(RETRY_MS, undefined, { signal: stopping.signal }).catch(() => {});
        continue;
      }
      if (more || !wanted()) continue;
      await new Promise<void>((resolve) => {
        awaken = resolve;
      });
    }
    await cursor.close();
  };
  const ended = run();

  return {
    get position() {
      return cursor.position;
    },
    caughtUp,
    async stop() {
      unwatch();
      stopping.abort();
      awaken?.();
      await ended;
    },
  };
}
