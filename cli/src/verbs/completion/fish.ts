import type { Argument, Verb } from '../verb.ts';
import { firstWords, quoted, secondWords, takesOf } from './words.ts';

/** A script that completes these verbs in fish. */
export function fishCompletion(verbs: readonly Verb[]): string {
  const seconds = [...secondWords(verbs)];
  return `# Completes usher in fish. Made by: usher completion fish
function __usher_words
    commandline -opc | string match -v -- '-*'
end
function __usher_begins
    test "$argv" = (__usher_words | string join ' ')
end
function __usher_in
    set -l words (__usher_words)
    for at in (seq (count $argv))
        test "$argv[$at]" = "$words[(math $at + 1)]"; or return 1
    end
end
complete -c usher -f
${firstWords(verbs)
  .map(({ word, doc }) => `complete -c usher -n '__usher_begins usher' -a ${word} -d ${quoted(doc)}`)
  .join('\n')}
${seconds
  .flatMap(([first, words]) =>
    words.map(
      ({ word, doc }) => `complete -c usher -n '__usher_begins usher ${first}' -a ${word} -d ${quoted(doc)}`,
    ),
  )
  .join('\n')}
${verbs.flatMap((verb) => partsOf(verb)).join('\n')}
`;
}

function partsOf({ name, options, arguments: positional }: Verb): string[] {
  const begin = `complete -c usher -n '__usher_in ${name}'`;
  const flags = Object.entries(options).map(([option, parts]) => {
    const short = parts.short === undefined ? '' : ` -s ${parts.short}`;
    const value = parts.type === 'boolean' ? '' : ` ${valueOf(takesOf(parts))}`;
    return `${begin} -l ${option}${short}${value} -d ${quoted(parts.doc)}`;
  });
  const values = Object.values(positional).flatMap(({ doc, takes }) =>
    takes === undefined
      ? []
      : [`${begin} ${'paths' in takes ? '-F' : `-a ${wordsOf(takes.words)}`} -d ${quoted(doc)}`],
  );
  return [...flags, ...values];
}

/** `-x` takes nothing but what is offered, `-r` files too. */
function valueOf(takes: Argument['takes']): string {
  if (takes === undefined) return '-x';
  return 'words' in takes ? `-x -a ${wordsOf(takes.words)}` : '-r -F';
}

function wordsOf(words: readonly string[]): string {
  return quoted(words.join(' '));
}
