import type { Input } from '../../input/input.ts';
import { size, value } from '../draft.ts';
import { gzipPlugins } from '../gzip.ts';
import type { Remarks } from '../remarks.ts';
import { inForce, type Scopes, wordOf } from './scopes.ts';
import { bytes, count } from './units.ts';

/** Always compressed, whatever `gzip_types` says. */
const HTML = 'text/html';
const LEVEL_MAX = 9;

/** `gzip` of a location as a plugin. */
export function gzipOf(scopes: Scopes, remarks: Remarks): Input | undefined {
  const gzip = wordOf('gzip', scopes);
  if (gzip?.text !== 'on') return undefined;
  const [min, level] = [wordOf('gzip_min_length', scopes), wordOf('gzip_comp_level', scopes)];
  const length = min === undefined ? undefined : bytes(min.text);
  const number = level === undefined ? undefined : count(level.text);
  const inRange = number !== undefined && number >= 1 && number <= LEVEL_MAX;
  if (level !== undefined && !inRange)
    remarks.fault('gzip_comp_level', level.at, 'this is not a value that nginx would take');
  const named = inForce('gzip_types', scopes).flatMap(({ args }) => args);
  return gzipPlugins(
    {
      at: gzip.at,
      types: [{ text: HTML, at: gzip.at }, ...named.filter(({ text }) => text !== HTML)],
      minSize: length === undefined ? undefined : value(size(length), min?.at),
      level: inRange ? value(number, level?.at) : undefined,
    },
    'gzip_types',
    remarks,
  );
}
