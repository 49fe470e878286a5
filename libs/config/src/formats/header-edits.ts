import { uneditable } from '@usher/domain';
import type { Place } from '../fault.ts';
import type { Input } from '../input/input.ts';
import { map, value } from './draft.ts';
import type { Remarks } from './remarks.ts';

/** What can stand in the value of a header as it is. */
const PLAIN = /^[!-~]([\t -~]*[!-~])?$/;
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;

export interface WrittenHeader {
  readonly name: string;
  readonly text: string;
  readonly at: Place;
}

/** Headers that are set, as `set` or `add` of Usher has them; those that cannot be are told. Of two of a name the last one counts. */
export function headersOf(
  headers: readonly WrittenHeader[],
  path: string,
  remarks: Remarks,
): Input | undefined {
  const kept = new Map<string, Input>();
  for (const { name, text, at } of headers) {
    const why = faultOf(name, text);
    if (why === undefined) kept.set(name, value(text, at));
    else remarks.lost(path, at, why);
  }
  return kept.size === 0 ? undefined : map(Object.fromEntries(kept));
}

function faultOf(name: string, text: string): string | undefined {
  if (!NAME.test(name)) return `${JSON.stringify(name)} is not the name of a header`;
  if (!PLAIN.test(text)) return `the value of ${name} is not one line of printable characters`;
  if (/\{[a-z_]+\}/.test(text)) return `braces in the value of ${name} would be variables`;
  return uneditable(name.toLowerCase());
}
