import type { RequestCase } from '../verdicts.ts';
import { chunkExtensions, chunkLineEnds, chunkSizes } from './chunks.ts';
import { expectations, hopByHop, persistence, pipelining } from './connections.ts';
import { contentLengths } from './content-length.ts';
import { fieldNames, fieldValues, folding } from './field-lines.ts';
import { hosts } from './hosts.ts';
import { limits } from './limits.ts';
import { chunkTricks, ownRequests, twoFramings } from './smuggling.ts';
import { lineEnds, requestLines } from './start-lines.ts';
import { pathBytes, targetForms } from './targets.ts';
import { trailers } from './trailers.ts';
import { obfuscatedCodings, otherCodings } from './transfer-encoding.ts';
import { methods, versions } from './versions-methods.ts';

/** All request cases by theme. */
export const REQUEST_THEMES: Readonly<Record<string, readonly RequestCase[]>> = {
  'request line': requestLines,
  'line ends': lineEnds,
  version: versions,
  method: methods,
  'form of the target': targetForms,
  'bytes of the path': pathBytes,
  Host: hosts,
  'field name': fieldNames,
  'field value': fieldValues,
  folding,
  'Content-Length': contentLengths,
  'Transfer-Encoding': otherCodings,
  'obfuscated Transfer-Encoding': obfuscatedCodings,
  'chunk size': chunkSizes,
  'chunk line end': chunkLineEnds,
  'chunk extension': chunkExtensions,
  trailers,
  'two framings': twoFramings,
  'chunk trick': chunkTricks,
  'request of its own': ownRequests,
  persistence,
  'hop by hop': hopByHop,
  Expect: expectations,
  pipelining,
  limit: limits,
};
