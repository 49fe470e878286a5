import type { Position } from '@usher/ports';
import { segmentPath } from './files.ts';
import type { LogEnd } from './log-index.ts';

const REMEDY = 'put the segments back from a backup and start again to have them';

/** What the segments lack, one sentence each: positions have no gaps, so whatever is missing was there. */
export function lossesOf(dir: string, segments: readonly LogEnd[]): string[] {
  const losses: string[] = [];
  let before: Position = 0;
  for (const { segment, head, lost } of segments) {
    if (segment === before + 2) losses.push(`position ${before + 1} is missing`);
    if (segment > before + 2) losses.push(`positions ${before + 1} to ${segment - 1} are missing`);
    const records = lost === 1 ? '1 record is' : `${lost} records are`;
    if (lost > 0) losses.push(`${records} damaged or missing in ${segmentPath(dir, segment)}`);
    before = head;
  }
  return losses;
}

/** The sentence for a status; undefined when nothing is lost. */
export function faultOf(losses: readonly string[]): string | undefined {
  if (losses.length === 0) return undefined;
  return `the event log lacks records: ${losses.join('; ')}; ${REMEDY}`;
}
