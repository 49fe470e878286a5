import { stat } from 'node:fs/promises';
import { type EventLog, type LogRecord, LogUnavailableError, type Position, type Tail } from '@usher/ports';
import { Cursor, type Extent } from './cursor.ts';
import { listSegments, segmentPath } from './files.ts';
import { followLog } from './follow.ts';
import { loadSnapshot } from './snapshots.ts';

/** The reading half of an event log. */
export type EventReader = Pick<EventLog, 'replay' | 'tail' | 'head' | 'lastOf' | 'loadSnapshot' | 'close'>;

/** How often a tail looks for what another process has written. */
const POLL_MS = 200;

/**
 * Reads the log in a directory without its lock, so also while the system that writes it runs. Changes nothing; a
 * record whose end is not there yet is not seen. Throws when there is no log.
 */
export async function openEmbeddedReader(dir: string): Promise<EventReader> {
  await listSegments(dir).catch((cause: Error) => {
    throw new LogUnavailableError(`there is no event log in ${dir}`, { cause });
  });
  const extent: Extent = {
    segments: () => listSegments(dir),
    end: async (_first, handle) => ({ bytes: (await handle.stat()).size, head: 0 }),
  };
  const tails = new Set<Tail>();

  const replay = async (after: Position, apply: (record: LogRecord) => void, until?: Position) => {
    const cursor = new Cursor(dir, extent, after);
    await cursor.read(apply, until ?? Number.POSITIVE_INFINITY);
    await cursor.close();
    return cursor.position;
  };
  /** Only the newest segment can hold the newest record, unless it has none yet. */
  const head = async (): Promise<Position> => {
    const segments = await listSegments(dir);
    const newest = segments.at(-1);
    return newest === undefined ? 0 : replay(newest - 1, () => {});
  };
  return {
    replay,
    head,
    async lastOf(subject) {
      let last = 0;
      await replay(0, (record) => {
        if (record.subject === subject) last = record.position;
      });
      return last;
    },
    tail(after, apply) {
      const tail = followLog({ dir, extent, head, watch: poll(dir), failed() {} }, after, apply);
      tails.add(tail);
      return tail;
    },
    loadSnapshot: (until = Number.POSITIVE_INFINITY) => loadSnapshot(dir, until),
    async close() {
      for (const tail of tails) await tail.stop();
    },
  };
}

/** Calls back when the newest segment has changed. */
function poll(dir: string): (watcher: () => void) => () => void {
  return (watcher) => {
    let seen = '';
    const look = async (): Promise<void> => {
      const newest = (await listSegments(dir)).at(-1) ?? 0;
      const size = newest === 0 ? 0 : (await stat(segmentPath(dir, newest))).size;
      if (seen !== `${newest}:${size}`) watcher();
      seen = `${newest}:${size}`;
    };
    // A look that fails is followed by the next one.
    const timer = setInterval(() => void look().catch(() => {}), POLL_MS);
    return () => clearInterval(timer);
  };
}
