import type { Place } from '../fault.ts';
import type { Input } from '../input/input.ts';
import { map, series, value } from './draft.ts';
import type { Remarks } from './remarks.ts';

const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+*-]+$/;
const EVERY_TYPE = '*/*';

interface Written {
  readonly text: string;
  readonly at: Place;
}

export interface Gzip {
  readonly at: Place;
  /** Undefined = what is made of text. */
  readonly types: readonly Written[] | undefined;
  readonly minSize?: Input | undefined;
  readonly level?: Input | undefined;
}

/** The plugins of a route whose answers another system compresses. */
export function gzipPlugins({ at, types, minSize, level }: Gzip, path: string, remarks: Remarks): Input {
  return series([
    map(
      {
        name: value('compression', at),
        codings: series([value('gzip', at)]),
        levels: level === undefined ? undefined : map({ gzip: level }),
        min_size: minSize,
        types: types === undefined ? undefined : series(mediaTypes(types, path, remarks)),
      },
      at,
    ),
  ]);
}

function mediaTypes(types: readonly Written[], path: string, remarks: Remarks): readonly Input[] {
  return types.flatMap(({ text, at }) => {
    if (text === '*') return [value(EVERY_TYPE, at)];
    if (MEDIA_TYPE.test(text)) return [value(text, at)];
    remarks.lost(path, at, `${text} is not a media type`);
    return [];
  });
}
