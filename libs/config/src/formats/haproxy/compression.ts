import type { Input } from '../../input/input.ts';
import { gzipPlugins } from '../gzip.ts';
import type { Remarks } from '../remarks.ts';
import { linesOf, type Section } from './sections.ts';

const ALGORITHM = 'compression algo';
const CODING = 'gzip';
/** Leaves answers as they are. */
const NOTHING = 'identity';

/** What `compression` becomes, of the first section that has it. */
export function compressionOf(sections: readonly Section[], remarks: Remarks): Input | undefined {
  for (const section of sections) {
    const [line] = linesOf(section, 'compression', 'algo');
    if (line === undefined) continue;
    const codings = line.args.slice(1);
    const gzip = codings.find(({ text }) => text === CODING);
    for (const { text, at } of codings) {
      if (text !== CODING && text !== NOTHING)
        remarks.lost(ALGORITHM, at, `there are gzip, br and zstd, but no ${text}`);
    }
    if (gzip === undefined) return undefined;
    const [named] = linesOf(section, 'compression', 'type');
    if (named === undefined)
      remarks.changed(ALGORITHM, line.at, 'without `compression type`, what is made of text is compressed');
    return gzipPlugins({ at: gzip.at, types: named?.args.slice(1) }, 'compression type', remarks);
  }
  return undefined;
}
