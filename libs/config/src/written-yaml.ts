import type { Plain } from './input/input.ts';

/** Words that YAML, or some reader of it, takes for something else than text. */
const NOT_TEXT = /^(true|false|yes|no|on|off|null|~|\.nan|\.inf)$/i;
const PLAIN_TEXT = /^[A-Za-z0-9./][A-Za-z0-9_./%-]*$/;

/** A value on one line of YAML. */
export function writtenYaml(value: Plain): string {
  if (typeof value === 'string') return isPlainText(value) ? value : JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map((each: Plain) => writtenYaml(each)).join(', ')}]`;
  const entries = Object.entries(value).map(([key, each]) => `${key}: ${writtenYaml(each)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

function isPlainText(text: string): boolean {
  return PLAIN_TEXT.test(text) && !NOT_TEXT.test(text) && Number.isNaN(Number(text));
}
