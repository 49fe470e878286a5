import { readlinkSync } from 'node:fs';
import { dirname, join, parse, resolve, sep } from 'node:path';

/** More links than this lead in a circle, as far as systems care. */
const LINKS_MAX = 40;

/** The folders in which a change may have another file read at a path: those of the file, and of every link on the way to it. */
export function decidingFolders(file: string): ReadonlySet<string> {
  const absolute = resolve(file);
  const { root } = parse(absolute);
  const folders = new Set([dirname(absolute)]);
  let at = root;
  const names = absolute.slice(root.length).split(sep);
  for (let links = 0; ; ) {
    const name = names.shift();
    if (name === undefined) break;
    const target = linkAt(join(at, name));
    if (target === undefined) {
      at = join(at, name);
      continue;
    }
    links += 1;
    if (links > LINKS_MAX) break;
    folders.add(at);
    names.unshift(...resolve(at, target).slice(root.length).split(sep));
    at = root;
  }
  return folders.add(dirname(at));
}

/** Where a link leads; undefined when nothing is there, or no link. */
function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
