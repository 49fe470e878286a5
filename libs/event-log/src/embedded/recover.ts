import { open, stat } from 'node:fs/promises';
import type { Log, Position } from '@usher/ports';
import { listSegments, segmentPath } from './files.ts';
import { dropIndex, EMPTY_END, type LogEnd, LogIndex, loadIndex, type SavedIndex } from './log-index.ts';
import { lossesOf } from './losses.ts';
import { scanSegment, wholeLineIn } from './scan.ts';

export interface Recovered extends SavedIndex {
  readonly segments: Position[];
  /** What the log lacks, a sentence each. */
  readonly losses: readonly string[];
}

/**
 * Rebuilds what a writer must know. Reads the records behind the saved index, or all when there is none. Removes what a
 * crash left behind the last line end: nobody was told that it was durable. Records that are damaged or missing keep
 * their positions; they are reported, at each start, and the log goes on behind them.
 */
export async function recover(dir: string, log: Log): Promise<Recovered> {
  const segments = await listSegments(dir);
  const saved = await loadIndex(dir);
  const start = saved === undefined ? undefined : await borneOut(dir, segments, saved);
  if (saved !== undefined && start === undefined) await dropIndex(dir);
  const index = start?.index ?? new LogIndex();
  const sealed = [...(start?.sealed ?? [])];
  let end = start?.end ?? EMPTY_END;
  for (const [place, first] of segments.entries()) {
    if (first < end.segment) continue;
    if (first !== end.segment) {
      if (end.segment !== 0) sealed.push(end);
      end = { segment: first, bytes: 0, head: first - 1, lost: 0 };
    }
    end = await readOn(dir, end, index, segments[place + 1], log);
  }
  if (saved !== undefined && end.head < saved.end.head) {
    log.error(
      'the event log ends earlier than it did: its last records are gone. Put it back from a backup to have them',
      {
        head: end.head,
        was: saved.end.head,
      },
    );
  }
  const losses = lossesOf(dir, [...sealed, end]);
  for (const loss of losses)
    log.error('the event log lacks records: their positions are set aside when it is read', { loss });
  return { index, sealed, end, segments, losses };
}

/**
 * The saved index without segments that have gone since; undefined when a segment has changed or come back, so that all
 * has to be read again.
 */
async function borneOut(
  dir: string,
  segments: readonly Position[],
  { index, sealed, end }: SavedIndex,
): Promise<SavedIndex | undefined> {
  if (end.segment === 0) return segments.length === 0 ? { index, sealed, end } : undefined;
  if (!segments.includes(end.segment) || (await sizeOf(dir, end.segment)) < end.bytes) return undefined;
  const present = sealed.filter(({ segment }) => segments.includes(segment));
  for (const { segment, bytes } of present) if ((await sizeOf(dir, segment)) !== bytes) return undefined;
  const known = segments.filter((first) => first < end.segment).length;
  return known === present.length ? { index, sealed: present, end } : undefined;
}

async function sizeOf(dir: string, first: Position): Promise<number> {
  return (await stat(segmentPath(dir, first))).size;
}

/** Adds the records of a segment, from an end on, to the index; resolves with the segment's end. */
async function readOn(
  dir: string,
  from: LogEnd,
  index: LogIndex,
  next: Position | undefined,
  log: Log,
): Promise<LogEnd> {
  const { end, rest } = await scanSegment(dir, from, next, ({ position, subject, id }) =>
    index.add(position, subject, id),
  );
  if (rest.length === 0) return end;
  const whole = wholeLineIn(rest, end.head);
  await truncate(dir, end.segment, end.bytes + whole, whole > 0);
  log.warn(
    whole > 0
      ? 'the last record of the event log lacked its end, which is put back'
      : 'the end of the event log was torn by a crash; it was never acknowledged and is removed',
    { segment: segmentPath(dir, end.segment), bytes: rest.length - whole, lastPosition: end.head },
  );
  return whole > 0 ? await readOn(dir, end, index, next, log) : end;
}

async function truncate(dir: string, first: Position, bytes: number, endLine: boolean): Promise<void> {
  const handle = await open(segmentPath(dir, first), 'r+');
  try {
    await handle.truncate(bytes);
    if (endLine) await handle.write('\n', bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
