import type { Remarks } from '../remarks.ts';
import type { Directive, Word } from './directives.ts';

/** `zone` of `zone=one`. */
export function parameter(directive: Directive | undefined, name: string): string | undefined {
  const word = directive?.args.find(({ text }) => text.startsWith(`${name}=`));
  return word?.text.slice(name.length + 1);
}

/** The number or time that a parameter is; undefined when it is absent, and, with a fault, when it is none. */
export function measured(
  directive: Directive | undefined,
  name: string,
  parse: (text: string) => number | undefined,
  remarks: Remarks,
): number | undefined {
  const text = parameter(directive, name);
  if (directive === undefined || text === undefined) return undefined;
  const amount = parse(text);
  if (amount === undefined) remarks.fault(name, directive.at, 'this is not a value that nginx would take');
  return amount;
}

/** Says which parameters nothing stands for: those with a reason here, and those that are not here. */
export function tellLostParameters(
  words: readonly Word[],
  known: Readonly<Record<string, string | undefined>>,
  remarks: Remarks,
): void {
  for (const { text, at } of words) {
    const [name = ''] = text.split('=', 1);
    const message = Object.hasOwn(known, name) ? known[name] : 'Usher has nothing for it';
    if (message !== undefined) remarks.lost(name, at, message);
  }
}
