import type { ResponseCase } from '../verdicts.ts';
import { badChunks, chunkedBodies, codings } from './chunked.ts';
import { bodiless, brokenOff, informational } from './endings.ts';
import { fields, hopByHop } from './fields.ts';
import { lengths, untilTheEnd } from './framing.ts';
import { lineEnds, statusLines } from './status-lines.ts';

/** All response cases by theme. */
export const RESPONSE_THEMES: Readonly<Record<string, readonly ResponseCase[]>> = {
  'status line': statusLines,
  'line ends': lineEnds,
  fields,
  'hop by hop': hopByHop,
  'Content-Length': lengths,
  'until the end of the connection': untilTheEnd,
  'without a body': bodiless,
  informational,
  'broken off': brokenOff,
  'chunked body': chunkedBodies,
  'bad chunks': badChunks,
  codings,
};
