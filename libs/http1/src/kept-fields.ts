import type { FieldTable } from './field-table.ts';

const UPPER_A = 65;
const UPPER_Z = 90;
const TO_LOWER = 32;

/**
 * The header lines of `text` without those whose id is in `dropMask` (a bit per `FIELD` id), byte for byte and in order,
 * each with its CRLF. Runs of kept lines are copied as one piece; usually that is all of them.
 */
export function keptFields(text: string, fields: FieldTable, dropMask: number): string {
  if ((fields.seen & dropMask) === 0) return text.slice(fields.start, fields.end);
  let kept = '';
  let runStart = fields.start;
  for (let line = 0; line < fields.count; line++) {
    if ((dropMask & (1 << fields.id(line))) === 0) continue;
    const start = fields.nameStart(line);
    if (start > runStart) kept += text.slice(runStart, start);
    runStart = fields.lineEnd(line);
  }
  return runStart < fields.end ? kept + text.slice(runStart, fields.end) : kept;
}

/** The values of every line with this id, joined as one list (RFC 9110 section 5.3); empty when there is none. */
export function joinedValues(text: string, fields: FieldTable, id: number): string {
  if (!fields.has(id)) return '';
  let joined = '';
  for (let line = fields.first(id); line < fields.count; line++) {
    if (fields.id(line) !== id) continue;
    const value = text.slice(fields.valueStart(line), fields.valueEnd(line));
    if (value !== '') joined = joined === '' ? value : `${joined}, ${value}`;
  }
  return joined;
}

/** The first line from `from` on with this name, given in lower case; -1 when there is none. */
export function lineNamed(text: string, fields: FieldTable, name: string, from = 0): number {
  for (let line = from; line < fields.count; line++) {
    const start = fields.nameStart(line);
    if (fields.nameEnd(line) - start === name.length && isNameAt(text, start, name)) return line;
  }
  return -1;
}

/** Whether `text` goes on with a name at `start`, in any case. */
function isNameAt(text: string, start: number, lower: string): boolean {
  for (let i = 0; i < lower.length; i++) {
    const char = text.charCodeAt(start + i);
    const isUpper = char >= UPPER_A && char <= UPPER_Z;
    if ((isUpper ? char + TO_LOWER : char) !== lower.charCodeAt(i)) return false;
  }
  return true;
}

/** The value of the only line with this id; undefined when there is none or more than one. */
export function singleValue(text: string, fields: FieldTable, id: number): string | undefined {
  if (!fields.has(id) || fields.isRepeated(id)) return undefined;
  const line = fields.first(id);
  return text.slice(fields.valueStart(line), fields.valueEnd(line));
}
