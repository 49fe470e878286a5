import { UsageError } from '../io.ts';
import type { Verb } from './verb.ts';

interface Found<E> {
  readonly entry: E;
  /** What follows the words of the verb. */
  readonly rest: readonly string[];
}

/** Finds the verb that a command line begins with. Throws UsageError when there is none. */
export function findVerb<E extends { readonly verb: Verb }>(
  entries: readonly E[],
  args: readonly string[],
): Found<E> {
  const [first = '', second = ''] = args;
  const pair = `${first} ${second}`;
  const exact = entries.find(({ verb }) => verb.name === pair || `${verb.name} ${verb.also}` === pair);
  if (exact !== undefined) return { entry: exact, rest: args.slice(2) };
  const alone = entries.find(({ verb }) => verb.name === first);
  const group = groupOf(entries, first);
  if (alone === undefined && group.length === 0)
    throw new UsageError(`there is no command ${first}; see usher help`);
  const isWord = second !== '' && !second.startsWith('-');
  if (alone === undefined || (isWord && group.length > 0)) {
    const words = group.map(({ verb }) => verb.name.slice(first.length + 1)).join(' or ');
    throw new UsageError(`${first} takes ${words}${isWord ? `, not ${second}` : ''}`);
  }
  return { entry: alone, rest: args.slice(1) };
}

/** The verbs of two words that begin with this one. */
export function groupOf<E extends { readonly verb: Verb }>(entries: readonly E[], first: string): E[] {
  return entries.filter(({ verb }) => verb.name.startsWith(`${first} `));
}
