import { flagOf, isRequired, meaningOf, usageOf } from './help.ts';
import type { Verb } from './verb.ts';

const INTRODUCTION = `# Command line

Made from the declarations in \`cli/src/verbs\`; a test holds the two equal, and \`npx vitest run cli/src/verbs -u\`
writes this page anew.

\`bin/usher COMMAND --help\` says the same of one command. Exit codes: 0 ok, 1 failed, 2 bad usage or a faulty
configuration. With \`--json\` a failure is one line of JSON on standard error: \`code\`, \`title\` and \`detail\`, with \`revision\` and
\`changes\` where the API names them. Codes are [those of the API](errors.md), or \`usage\`, \`config\` (with \`faults\`), \`unreachable\`,
\`timeout\`, \`stranger\` (what answers is no Usher) and \`failed\`; \`check\` tells the faults of its file on standard output. Commands
that need the running system find it by the configuration (\`--config FILE\`, else the \`usher.yaml\` of the working directory), or by
\`--admin URL\`.
`;

/** The reference page of the command line, in Markdown. */
export function cliPage(verbs: readonly Verb[]): string {
  return [INTRODUCTION, ...verbs.map(section)].join('\n');
}

function section(verb: Verb): string {
  const { name, summary, notes = [], arguments: positional, options, behind } = verb;
  const rows = [
    ...Object.entries(positional).map(([argument, part]) => [code(argument), meaningOf(part)]),
    ...Object.entries(options).map(([option, part]) => {
      const short = part.short === undefined ? '' : `${code(`-${part.short}`)}, `;
      const must = isRequired(part) ? ' **Must be given.**' : '';
      return [short + code(flagOf(option, part)), meaningOf(part) + must];
    }),
    ...(behind === undefined ? [] : [[code(`-- ${behind.value}`), behind.doc]]),
  ];
  const table = ['| | |', '| --- | --- |', ...rows.map((cells) => `| ${cells.map(cell).join(' | ')} |`), ''];
  return [
    `## ${name}`,
    '',
    code(`usher ${usageOf(verb)}`),
    '',
    `${summary.slice(0, 1).toUpperCase()}${summary.slice(1)}.`,
    '',
    ...notes.flatMap((note) => [note.includes('usher ') ? note.replace(/usher .*/, code) : note, '']),
    ...(rows.length === 0 ? [] : table),
  ].join('\n');
}

function code(text: string): string {
  return `\`${text}\``;
}

/** A vertical bar would end the cell, and \`<\` would begin an element. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
