import { columns } from '../table.ts';
import type { Argument, Option, Verb } from './verb.ts';

/** How a verb is called, after `usher`: what must be given is named, the rest is `[OPTION]…`. */
export function usageOf({ name, also, arguments: positional, options, behind }: Verb): string {
  const parts = [name + (also === undefined ? '' : ` [${also}]`)];
  for (const [argument, { optional }] of Object.entries(positional))
    parts.push(optional === true ? `[${argument}]` : argument);
  const all = Object.entries(options);
  for (const [name, option] of all) if (isRequired(option)) parts.push(flagOf(name, option));
  if (all.some(([, each]) => !isRequired(each))) parts.push('[OPTION]…');
  if (behind !== undefined) parts.push(`[-- ${behind.value}]`);
  return parts.join(' ');
}

/** The help of one verb. */
export function helpOf(verb: Verb): string[] {
  const { summary, notes = [], arguments: positional, options, behind } = verb;
  const lines = [`usher ${usageOf(verb)}`, `  ${summary}`, ...notes.map((note) => `  ${note}`)];
  const argumentRows = Object.entries(positional).map(([name, argument]) => [
    `  ${name}`,
    meaningOf(argument),
  ]);
  const optionRows = Object.entries(options).map(([name, option]) => [
    `  ${shortOf(option)}${flagOf(name, option)}`,
    meaningOf(option),
  ]);
  const behindRows = behind === undefined ? [] : [[`  -- ${behind.value}`, behind.doc]];
  const rows = [...argumentRows, ...optionRows, ...behindRows];
  if (rows.length > 0) lines.push('', ...columns(rows));
  return lines;
}

/** The help of all verbs. */
export function overview(verbs: readonly Verb[]): string[] {
  return [
    'usher, an event-sourced, actor-based L7 load balancer',
    '',
    ...columns(verbs.map(({ name, summary }) => [`  ${name}`, summary])),
    '',
    'usher COMMAND --help shows how each is called. Exit codes: 0 ok, 1 failed, 2 bad usage or configuration.',
  ];
}

/** `--config FILE`. */
export function flagOf(name: string, option: Option): string {
  return option.type === 'boolean' ? `--${name}` : `--${name} ${option.value}`;
}

function shortOf({ short }: Option): string {
  return short === undefined ? '' : `-${short}, `;
}

/** What it is, what it may be, and what holds without it. */
export function meaningOf(part: Option | Argument): string {
  const { doc } = part;
  const takes = 'takes' in part ? part.takes : undefined;
  const words = takes !== undefined && 'words' in takes ? [`one of ${takes.words.join(', ')}`] : [];
  const fallback = 'default' in part ? [`default ${part.default}`] : [];
  const many = 'multiple' in part ? ['may be given several times'] : [];
  const more = [...words, ...fallback, ...many].join('; ');
  return more === '' ? doc : `${doc} (${more})`;
}

export function isRequired(option: Option): boolean {
  return option.type === 'string' && option.required === true;
}
