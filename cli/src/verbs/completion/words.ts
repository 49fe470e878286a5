import type { Argument, Option, Verb } from '../verb.ts';

/** A word that can be typed, and what it is for. */
export interface Word {
  readonly word: string;
  readonly doc: string;
}

/** What the first word may be. */
export function firstWords(verbs: readonly Verb[]): Word[] {
  const words = new Map<string, string>();
  for (const { name, summary } of verbs) {
    const [first = '', second] = name.split(' ');
    if (!words.has(first)) words.set(first, second === undefined ? summary : `${second}: ${summary}`);
  }
  words.set('help', 'list the commands');
  return Array.from(words, ([word, doc]) => ({ word, doc }));
}

/** What may follow a first word, by that. */
export function secondWords(verbs: readonly Verb[]): Map<string, Word[]> {
  const words = new Map<string, Word[]>();
  const add = (first: string, word: string, doc: string) =>
    words.set(first, [...(words.get(first) ?? []), { word, doc }]);
  for (const { name, also, summary } of verbs) {
    const [first = '', second] = name.split(' ');
    if (second !== undefined) add(first, second, summary);
    if (also !== undefined) add(name, also, summary);
  }
  return words;
}

/** How an option is typed, in all of its forms. */
export function formsOf(name: string, { short }: Option): string[] {
  return short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`];
}

/** What the value of an option or argument can be; undefined when only its user knows, or when it has none. */
export function takesOf(part: Option | Argument): Argument['takes'] {
  return 'takes' in part ? part.takes : undefined;
}

/** In single quotes of a shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
