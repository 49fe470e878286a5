import type { Argument, Verb } from '../verb.ts';
import { firstWords, formsOf, quoted, secondWords, takesOf, type Word } from './words.ts';

/** A script that completes these verbs in bash. */
export function bashCompletion(verbs: readonly Verb[]): string {
  const seconds = Array.from(
    secondWords(verbs),
    ([first, words]) => `      ${quoted(first)}) seconds=${listed(words)} ;;`,
  );
  const pairs = verbs.filter(({ name }) => name.includes(' ')).map(({ name }) => quoted(name));
  return `# Completes usher in bash. Made by: usher completion bash
_usher() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  local verb=\${COMP_WORDS[1]} seconds='' options='' words=''
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W ${listed(firstWords(verbs))} -- "$current"))
    return
  fi
  if ((COMP_CWORD == 2)); then
    case $verb in
${seconds.join('\n')}
    esac
  fi
  case "$verb \${COMP_WORDS[2]}" in
    ${pairs.join(' | ')}) verb+=" \${COMP_WORDS[2]}" ;;
  esac
  case "$verb $previous" in
${verbs.flatMap(valueCases).join('\n')}
  esac
  case $verb in
${verbs.map(verbCase).join('\n')}
  esac
  if [[ $current != -* ]]; then options=''; fi
  COMPREPLY+=($(compgen -W "$seconds $words $options" -- "$current"))
}
complete -F _usher usher
`;
}

function listed(words: readonly Word[]): string {
  return quoted(words.map(({ word }) => word).join(' '));
}

/** What follows an option that has a value. */
function valueCases({ name, options }: Verb): string[] {
  return Object.entries(options).flatMap(([option, parts]) => {
    if (parts.type === 'boolean') return [];
    const patterns = formsOf(option, parts).map((form) => quoted(`${name} ${form}`));
    const complete = replyOf(takesOf(parts)) ?? ':';
    return [`    ${patterns.join(' | ')})\n      ${complete}\n      return\n      ;;`];
  });
}

function replyOf(takes: Argument['takes']): string | undefined {
  if (takes === undefined) return undefined;
  if ('words' in takes) return `COMPREPLY=($(compgen -W ${quoted(takes.words.join(' '))} -- "$current"))`;
  return `COMPREPLY=($(compgen -${takes.paths === 'files' ? 'f' : 'd'} -- "$current"))`;
}

function verbCase({ name, options, arguments: positional }: Verb): string {
  const forms = Object.keys(options).map((option) => `--${option}`);
  const takes = Object.values(positional).map(takesOf);
  const words = takes.flatMap((each) => (each !== undefined && 'words' in each ? each.words : []));
  const paths = takes.find((each) => each !== undefined && 'paths' in each);
  const lines = [
    `      options=${quoted([...forms, '--help'].join(' '))}`,
    ...(words.length === 0 ? [] : [`      words=${quoted(words.join(' '))}`]),
    ...(paths === undefined ? [] : [`      ${replyOf(paths)}`]),
  ];
  return `    ${quoted(name)})\n${lines.join('\n')}\n      ;;`;
}
