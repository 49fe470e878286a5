import { listSegments } from './files.ts';
import { EMPTY_END, type LogEnd } from './log-index.ts';
import { lossesOf } from './losses.ts';
import { scanSegment } from './scan.ts';

/**
 * Reads every byte of the log in a directory and tells what it lacks, a sentence each. Needs no lock and changes nothing; what
 * follows the last line end is being written, or was torn by a crash, and lacks nothing.
 */
export async function inspectEmbedded(dir: string): Promise<readonly string[]> {
  const segments = await listSegments(dir);
  const ends: LogEnd[] = [];
  for (const [place, segment] of segments.entries()) {
    const from = { ...EMPTY_END, segment, head: segment - 1 };
    ends.push((await scanSegment(dir, from, segments[place + 1], () => {})).end);
  }
  return lossesOf(dir, ends);
}
