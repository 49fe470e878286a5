import { type FileHandle, open } from 'node:fs/promises';
import type { Position } from '@usher/ports';
import { readFully, segmentPath } from './files.ts';
import { LINE_START, type Line, parseLine } from './line.ts';
import type { LogEnd } from './log-index.ts';

const CHUNK_BYTES = 4 * 1024 * 1024;
const NEWLINE = 0x0a;

export interface Scan {
  /** Behind the last line end. */
  readonly end: LogEnd;
  /** What follows the last line end: all of a line but its end, or a part of one. */
  readonly rest: Buffer;
}

/**
 * Reads a segment from the line end at `from` on and hands over its good lines. What a crash has torn has no line end, so
 * a line with an end that is not what was written was damaged later: it keeps its position, as do those that are missing.
 * `next` is the first position of the segment behind it, if there is one: it was whole once, and has no rest.
 */
export async function scanSegment(
  dir: string,
  from: LogEnd,
  next: Position | undefined,
  good: (line: Line) => void,
): Promise<Scan> {
  const handle = await open(segmentPath(dir, from.segment));
  try {
    const { end, rest } = await scan(handle, from, good);
    if (next === undefined) return { end, rest };
    const bad = rest.length > 0 ? 1 : 0;
    const bytes = end.bytes + rest.length;
    const head = Math.min(end.head + bad, next - 1);
    return { end: { ...end, bytes, head, lost: end.lost + bad }, rest: rest.subarray(0, 0) };
  } finally {
    await handle.close();
  }
}

async function scan(handle: FileHandle, from: LogEnd, good: (line: Line) => void): Promise<Scan> {
  let { bytes: offset, head, lost } = from;
  /** Records in the bad lines since the last good one. */
  let bad = 0;
  let chunkBytes = CHUNK_BYTES;
  for (;;) {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    const filled = await readFully(handle, chunk, chunkBytes, offset);
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0 && end < filled; end = chunk.indexOf(NEWLINE, start)) {
      const line = parseLine(chunk, start, end);
      if (line === undefined || line.position <= head) {
        bad += recordsIn(chunk.subarray(start, end));
      } else {
        good(line);
        lost += Math.max(line.position - head - 1, bad);
        head = line.position;
        bad = 0;
      }
      start = end + 1;
    }
    offset += start;
    if (filled < chunkBytes) {
      const end = { segment: from.segment, bytes: offset, head: head + bad, lost: lost + bad };
      return { end, rest: chunk.subarray(start, filled) };
    }
    // Not one whole line: it is longer than the chunk.
    if (start === 0) chunkBytes *= 2;
  }
}

/** How many records a bad line was, at least one: with its line end damaged, a record runs into the next. */
function recordsIn(line: Buffer): number {
  let count = 0;
  for (let at = line.indexOf(LINE_START); at >= 0; at = line.indexOf(LINE_START, at + 1)) count += 1;
  return Math.max(count, 1);
}

/** How much of the rest is a whole line that lacks only its right end; 0 when it is none. */
export function wholeLineIn(rest: Buffer, head: Position): number {
  for (const bytes of [rest.length, rest.length - 1]) {
    const line = parseLine(rest, 0, bytes);
    if (line !== undefined && line.position > head) return bytes;
  }
  return 0;
}
