import { open } from 'node:fs/promises';
import type { Log, Position } from '@usher/ports';
import { listSegments, readFully, segmentPath } from './files.ts';
import { parseLine } from './line.ts';
import { EMPTY_END, type LogEnd, LogIndex, loadIndex } from './log-index.ts';

const CHUNK_BYTES = 4 * 1024 * 1024;
const NEWLINE = 0x0a;

export interface Recovered {
  readonly index: LogIndex;
  readonly end: LogEnd;
  readonly segments: Position[];
}

/**
 * Rebuilds what a writer must know. Reads the records behind the saved index, or all when there is none, and cuts off
 * what a crash left behind the last good record: nobody was told that it was durable.
 */
export async function recover(dir: string, log: Log): Promise<Recovered> {
  const segments = await listSegments(dir);
  const saved = await loadIndex(dir);
  const usable = saved !== undefined && (await reaches(dir, segments, saved.end));
  const index = usable ? saved.index : new LogIndex();
  let end = usable ? saved.end : EMPTY_END;
  for (const first of segments) {
    if (first < end.segment) continue;
    const from = first === end.segment ? end.bytes : 0;
    const scan = await scanSegment(dir, first, from, end.head, index);
    end = { segment: first, bytes: scan.goodBytes, head: Math.max(scan.head, first - 1) };
    const isLast = first === segments.at(-1);
    const damagedLines = scan.damagedLines + (isLast ? 0 : scan.badLinesAtEnd);
    if (damagedLines > 0) {
      log.error('damaged records in the event log: they are kept and set aside when read', {
        segment: segmentPath(dir, first),
        lines: damagedLines,
      });
    }
    if (isLast && scan.bytes > scan.goodBytes) {
      await cutOff(dir, first, scan.goodBytes);
      log.warn('the end of the event log was torn by a crash; it was never acknowledged and is removed', {
        segment: segmentPath(dir, first),
        bytes: scan.bytes - scan.goodBytes,
        lastPosition: end.head,
      });
    }
  }
  return { index, end, segments };
}

/** Whether the files still hold everything that the index was saved for. */
async function reaches(dir: string, segments: readonly Position[], end: LogEnd): Promise<boolean> {
  if (end.segment === 0) return true;
  if (!segments.includes(end.segment)) return false;
  const handle = await open(segmentPath(dir, end.segment));
  try {
    return (await handle.stat()).size >= end.bytes;
  } finally {
    await handle.close();
  }
}

interface Scan {
  readonly bytes: number;
  /** End of the last good line. */
  readonly goodBytes: number;
  readonly head: Position;
  /** Bad lines with good ones behind them. */
  readonly damagedLines: number;
  readonly badLinesAtEnd: number;
}

/** Adds the records of a segment, from an offset on, to the index. */
async function scanSegment(
  dir: string,
  first: Position,
  from: number,
  headBefore: Position,
  index: LogIndex,
): Promise<Scan> {
  const handle = await open(segmentPath(dir, first));
  try {
    const bytes = (await handle.stat()).size;
    let scan = { goodBytes: from, head: headBefore, damagedLines: 0 };
    let badLines = 0;
    let chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, bytes - from));
    for (let offset = from; offset < bytes; ) {
      const filled = await readFully(handle, chunk, Math.min(chunk.length, bytes - offset), offset);
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0 && end < filled; end = chunk.indexOf(NEWLINE, start)) {
        const line = parseLine(chunk, start, end);
        start = end + 1;
        if (line === undefined || line.position <= scan.head) {
          badLines += 1;
          continue;
        }
        index.add(line.position, line.subject, line.id);
        const damagedLines = scan.damagedLines + badLines;
        badLines = 0;
        scan = { goodBytes: offset + start, head: line.position, damagedLines };
      }
      offset += start;
      if (start > 0) continue;
      if (filled < chunk.length || offset + filled >= bytes) break;
      chunk = Buffer.allocUnsafe(chunk.length * 2);
    }
    return { ...scan, bytes, badLinesAtEnd: badLines };
  } finally {
    await handle.close();
  }
}

async function cutOff(dir: string, first: Position, bytes: number): Promise<void> {
  const handle = await open(segmentPath(dir, first), 'r+');
  try {
    await handle.truncate(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
