import type { Argument, Option, Verb } from '../verb.ts';
import { firstWords, quoted, secondWords, takesOf, type Word } from './words.ts';

/** A script that completes these verbs in zsh. */
export function zshCompletion(verbs: readonly Verb[]): string {
  const seconds = Array.from(
    secondWords(verbs),
    ([first, words]) =>
      `      ${quoted(first)}) list=(${described(words)}); _describe -t verbs command list ;;`,
  );
  const pairs = verbs.filter(({ name }) => name.includes(' ')).map(({ name }) => quoted(name));
  return `#compdef usher
# Made by: usher completion zsh
_usher() {
  local -a list
  local verb=$words[2]
  if ((CURRENT == 2)); then
    list=(${described(firstWords(verbs))})
    _describe -t verbs command list
    return
  fi
  if ((CURRENT == 3)); then
    case $verb in
${seconds.join('\n')}
    esac
  fi
  case "$verb $words[3]" in
    ${pairs.join(' | ')}) verb+=" $words[3]"; shift words; ((CURRENT--)) ;;
  esac
  shift words
  ((CURRENT--))
  case $verb in
${verbs.map(verbCase).join('\n')}
  esac
}
compdef _usher usher
`;
}

function described(words: readonly Word[]): string {
  return words.map(({ word, doc }) => quoted(`${word}:${doc.replaceAll(':', String.raw`\:`)}`)).join(' ');
}

function verbCase({ name, options, arguments: positional }: Verb): string {
  const specs = [
    ...Object.entries(options).map(([option, parts]) => optionSpec(option, parts)),
    ...Object.entries(positional).map(([argument, { takes, optional }]) =>
      quoted(`${optional === true ? ':' : ''}:${argument}:${actionOf(takes)}`),
    ),
    quoted('--help[show how it is called]'),
  ];
  return `    ${quoted(name)}) _arguments ${specs.join(' ')} ;;`;
}

function optionSpec(name: string, option: Option): string {
  const many = option.type === 'string' && option.multiple === true ? '*' : '';
  const doc = option.doc.replaceAll(/[[\]:]/g, String.raw`\$&`);
  const value =
    option.type === 'boolean' ? '' : `:${option.value.replaceAll(':', '')}:${actionOf(takesOf(option))}`;
  const long = quoted(`${many}--${name}[${doc}]${value}`);
  return option.short === undefined ? long : `${long} ${quoted(`${many}-${option.short}[${doc}]${value}`)}`;
}

function actionOf(takes: Argument['takes']): string {
  if (takes === undefined) return ' ';
  if ('words' in takes) return `(${takes.words.join(' ')})`;
  return takes.paths === 'files' ? '_files' : '_files -/';
}
