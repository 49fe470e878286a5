import { constants, type FileHandle, open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Position } from '@usher/ports';

/** Places of the log's files below its directory. */
export const SEGMENTS_DIR = 'segments';
export const SNAPSHOTS_DIR = 'snapshots';

/** Enough digits for every position, so that names sort as positions do. */
const POSITION_DIGITS = 16;
const NUMBERED_NAME = new RegExp(`^\\d{${POSITION_DIGITS}}$`);

export function numberedPath(dir: string, position: Position, extension: string): string {
  return join(dir, `${String(position).padStart(POSITION_DIGITS, '0')}${extension}`);
}

/** Positions that the files of a directory are named after, ascending. Other files are nobody's business here. */
export async function numberedFiles(dir: string, extension: string): Promise<Position[]> {
  const names = await readdir(dir);
  const positions: Position[] = [];
  for (const name of names) {
    if (!name.endsWith(extension)) continue;
    const digits = name.slice(0, name.length - extension.length);
    if (NUMBERED_NAME.test(digits)) positions.push(Number(digits));
  }
  return positions.toSorted((a, b) => a - b);
}

const SEGMENT_EXTENSION = '.jsonl';

export function segmentPath(dir: string, first: Position): string {
  return numberedPath(join(dir, SEGMENTS_DIR), first, SEGMENT_EXTENSION);
}

/** First positions of the segments, ascending. */
export function listSegments(dir: string): Promise<Position[]> {
  return numberedFiles(join(dir, SEGMENTS_DIR), SEGMENT_EXTENSION);
}

/**
 * Makes a new segment, durable by name. Throws when there is one with something in it. One that is empty is what an attempt
 * that failed has left.
 */
export async function createSegment(dir: string, first: Position): Promise<FileHandle> {
  const path = segmentPath(dir, first);
  const handle = await open(path, constants.O_CREAT | constants.O_RDWR, 0o644);
  try {
    if ((await handle.stat()).size > 0) throw new Error(`${path} exists and is not empty`);
    await syncDirectory(join(dir, SEGMENTS_DIR));
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Makes the names in a directory durable: without it a new file can be gone after a power cut though its content was synced. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Replaces a file so that at every moment either the old or the new one is there, whole. */
export async function replaceFile(dir: string, path: string, content: string): Promise<void> {
  const temporary = `${path}.new`;
  const handle = await open(temporary, 'w');
  try {
    await handle.writeFile(content);
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
  await syncDirectory(dir);
}

/** Reads until the buffer's first `bytes` are filled or the file ends; the number of bytes read. */
export async function readFully(
  handle: FileHandle,
  buffer: Buffer,
  bytes: number,
  from: number,
): Promise<number> {
  let filled = 0;
  while (filled < bytes) {
    const { bytesRead } = await handle.read(buffer, filled, bytes - filled, from + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}
