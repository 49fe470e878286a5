import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Position, Snapshot } from '@usher/ports';
import { numberedFiles, numberedPath, replaceFile, SNAPSHOTS_DIR } from './files.ts';

/** Older ones only make a look back to an old position faster. */
const SNAPSHOTS_KEPT = 8;
const EXTENSION = '.snapshot';

/** A line of JSON about the state, then the state. */
interface Header {
  readonly position: Position;
  readonly format: number;
  readonly crc: number;
}

export async function saveSnapshot(dir: string, snapshot: Snapshot): Promise<void> {
  const { position, format, state } = snapshot;
  const folder = join(dir, SNAPSHOTS_DIR);
  const header: Header = { position, format, crc: crc32(state) };
  await replaceFile(folder, numberedPath(folder, position, EXTENSION), `${JSON.stringify(header)}\n${state}`);
  const positions = await numberedFiles(folder, EXTENSION);
  // Those of later positions are of a log that has been cut since, and must not push out the ones that count.
  const older = positions.filter((other) => other <= position);
  for (const old of older.slice(0, -SNAPSHOTS_KEPT)) {
    await rm(numberedPath(folder, old, EXTENSION), { force: true });
  }
}

/** The newest whole snapshot at or before `until`. */
export async function loadSnapshot(dir: string, until: Position): Promise<Snapshot | undefined> {
  const folder = join(dir, SNAPSHOTS_DIR);
  const positions = await numberedFiles(folder, EXTENSION);
  for (const position of positions.toReversed()) {
    if (position > until) continue;
    const snapshot = await readSnapshot(numberedPath(folder, position, EXTENSION));
    if (snapshot !== undefined) return snapshot;
  }
  return undefined;
}

/** Undefined when the file is not whole, or has just been replaced by newer ones. */
async function readSnapshot(path: string): Promise<Snapshot | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    const headerEnd = text.indexOf('\n');
    const { position, format, crc } = JSON.parse(text.slice(0, headerEnd)) as Header;
    const state = text.slice(headerEnd + 1);
    return crc === crc32(state) ? { position, format, state } : undefined;
  } catch {
    return undefined;
  }
}
