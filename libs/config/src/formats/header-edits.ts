import { uneditable } from '@usher/domain';
import type { Place } from '../fault.ts';
import type { Input } from '../input/input.ts';
import { map, series, value } from './draft.ts';
import type { Remarks } from './remarks.ts';

/** What can stand in the value of a header as it is. */
const PLAIN = /^[!-~]([\t -~]*[!-~])?$/;
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;

export interface WrittenHeader {
  readonly name: string;
  /** Empty where it cannot be said. */
  readonly text: string;
  readonly at: Place;
  /** Braces around a name are meant as they are in Usher. */
  readonly isTemplate?: boolean;
}

/** Headers that are set, as `set` or `add` of Usher has them; those that cannot be are told. Of two of a name the first one counts. */
export function headersOf(
  headers: readonly WrittenHeader[],
  path: string,
  remarks: Remarks,
): Input | undefined {
  const kept = new Map<string, readonly [string, Input]>();
  for (const header of headers) {
    const why = faultOf(header);
    const { name, text, at } = header;
    if (why !== undefined) remarks.lost(path, at, why);
    else if (kept.has(name.toLowerCase())) remarks.lost(path, at, `there is a value for ${name} already`);
    else kept.set(name.toLowerCase(), [name, value(text, at)]);
  }
  return kept.size === 0 ? undefined : map(Object.fromEntries(kept.values()));
}

/** Headers that go, as `remove` of Usher has them; those that cannot be are told. */
export function removedHeaders(
  headers: readonly WrittenHeader[],
  path: string,
  remarks: Remarks,
): Input | undefined {
  const kept = headers.flatMap(({ name, at }) => {
    const why = nameFault(name);
    if (why !== undefined) remarks.lost(path, at, why);
    return why === undefined ? [value(name, at)] : [];
  });
  return kept.length === 0 ? undefined : series(kept);
}

function nameFault(name: string): string | undefined {
  return NAME.test(name)
    ? uneditable(name.toLowerCase())
    : `${JSON.stringify(name)} is not the name of a header`;
}

function faultOf({ name, text, isTemplate = false }: WrittenHeader): string | undefined {
  const fault = nameFault(name);
  if (fault !== undefined) return fault;
  if (!PLAIN.test(text))
    return `the value of ${name} is not one line of printable characters, or has variables that Usher has not`;
  if (!isTemplate && /\{[a-z_]+\}/.test(text)) return `braces in the value of ${name} would be variables`;
  return undefined;
}
