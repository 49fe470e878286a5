import type { Place } from '../../fault.ts';
import { positions } from '../../input/positions.ts';
import type { Remarks } from '../remarks.ts';

export interface Word {
  readonly text: string;
  readonly at: Place;
}

/** One line of a section: a keyword and what follows it. */
export interface Line {
  readonly keyword: string;
  readonly args: readonly Word[];
  readonly at: Place;
}

export interface Section {
  readonly kind: string;
  readonly name: string;
  readonly at: Place;
  readonly lines: readonly Line[];
  /** Those of the `defaults` in front of it. */
  readonly defaults: readonly Line[];
}

/** Words that begin a section. */
const SECTIONS = new Set(
  (
    'global defaults frontend backend listen peers resolvers userlist mailers cache program http-errors ring ' +
    'log-forward fcgi-app crt-store traces acme'
  ).split(' '),
);

/** Reads the grammar of HAProxy. What cannot be read is a fault, and reading goes on in the next line. */
export function parseSections(
  text: string,
  placeAt: (line: number, column: number) => Place,
  remarks: Remarks,
): readonly Section[] {
  const positionOf = positions(text);
  const at = (offset: number): Place => placeAt(...positionOf(offset));
  const sections: Section[] = [];
  let lines: Line[] = [];
  let defaults: Line[] = [];
  let offset = 0;
  for (const row of text.split('\n')) {
    const [first, ...args] = wordsOf(row, offset, at, remarks);
    offset += row.length + 1;
    if (first === undefined) continue;
    if (SECTIONS.has(first.text)) {
      lines = [];
      if (first.text === 'defaults') defaults = lines;
      const inherited = first.text === 'defaults' ? [] : defaults;
      sections.push({
        kind: first.text,
        name: args[0]?.text ?? '',
        at: first.at,
        lines,
        defaults: inherited,
      });
    } else if (sections.length === 0) {
      remarks.fault(first.text, first.at, 'no section has begun yet');
    } else lines.push({ keyword: first.text, args, at: first.at });
  }
  return sections;
}

/** Blank; a comment; or a word, in which a backslash takes the next character and quotes take blanks. */
const WORD = /\s+|#.*|(?<word>(?:\\[\s\S]?|"(?:[^"\\]|\\[\s\S])*"?|'[^']*'?|[^\s#"'\\])+)/gy;
const PART =
  /\\(?<escaped>[\s\S]?)|"(?<double>(?:[^"\\]|\\[\s\S])*)(?<closed>"?)|'(?<single>[^']*)(?<ended>'?)/g;

function wordsOf(row: string, offset: number, at: (offset: number) => Place, remarks: Remarks): Word[] {
  const words: Word[] = [];
  for (const match of row.matchAll(WORD)) {
    const { word } = match.groups ?? {};
    if (word === undefined) continue;
    const place = at(offset + match.index);
    const text = word.replaceAll(PART, (...found) => {
      const groups = found.at(-1) as Partial<Record<string, string>>;
      if (groups['closed'] === '' || groups['ended'] === '')
        remarks.fault('', place, 'a quote that opens here is not closed');
      return groups['escaped'] ?? groups['double']?.replaceAll(/\\(.)/g, '$1') ?? groups['single'] ?? '';
    });
    words.push({ text, at: place });
  }
  return words;
}

/** The lines with a keyword: those of the section, or else those of its defaults. */
export function linesOf(section: Section, keyword: string, first?: string): readonly Line[] {
  const matches = (line: Line) =>
    line.keyword === keyword && (first === undefined || line.args[0]?.text === first);
  const own = section.lines.filter(matches);
  return own.length > 0 ? own : section.defaults.filter(matches);
}

/** The word behind an option, as `crt` has one in `bind :443 ssl crt F`. */
export function optionOf(words: readonly Word[], name: string): Word | undefined {
  const index = words.findIndex(({ text }) => text === name);
  return index === -1 ? undefined : words[index + 1];
}

export function hasOption(words: readonly Word[], name: string): boolean {
  return words.some(({ text }) => text === name);
}

/** The time that a word is; one that is none is a fault. */
export function timeOf(word: Word | undefined, what: string, remarks: Remarks): number | undefined {
  const ms = millisecondsOf(word?.text);
  if (word !== undefined && ms === undefined)
    remarks.fault(what, word.at, 'this is not a time that HAProxy would take');
  return ms;
}

/** The number that a word is; one that is none is a fault. */
export function countOf(word: Word | undefined, what: string, remarks: Remarks): number | undefined {
  const text = word?.text ?? '';
  if (/^[0-9]{1,9}$/.test(text)) return Number(text);
  if (word !== undefined) remarks.fault(what, word.at, 'expected a whole number');
  return undefined;
}

/** Milliseconds of the units of HAProxy; a bare number is in milliseconds. */
const TIMES: Readonly<Record<string, number>> = {
  '': 1,
  us: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `30s` in milliseconds; undefined when it is no time. */
export function millisecondsOf(text: string | undefined): number | undefined {
  const match = /^([0-9]{1,9})(us|ms|[smhd]?)$/.exec(text ?? '');
  return match === null ? undefined : Number(match[1]) * (TIMES[match[2]!] ?? 0);
}
