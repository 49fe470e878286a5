import type { Place } from '../../fault.ts';
import { positions } from '../../input/positions.ts';
import type { Remarks } from '../remarks.ts';

/** One word of a directive. */
export interface Word {
  readonly text: string;
  readonly at: Place;
}

/** `name word …;`, or `name word … { … }`. */
export interface Directive {
  readonly name: string;
  readonly args: readonly Word[];
  readonly at: Place;
  /** Undefined when it ends in a semicolon. */
  readonly block: readonly Directive[] | undefined;
}

type Token = { readonly kind: 'word' | '{' | '}' | ';'; readonly text: string; readonly offset: number };

/** Blank, a comment, a quoted text (perhaps never closed), a mark, or a word in which a backslash takes the next character. */
const TOKEN =
  /\s+|#[^\n]*|(?<quoted>"(?:[^"\\]|\\[\s\S])*"?|'(?:[^'\\]|\\[\s\S])*'?)|(?<mark>[{};])|(?<word>(?:\\[\s\S]|\$\{[^{}\s]*\}|[^\s{};"'\\]|(?<=\S)["'])+|\\)/gy;

/** Reads the grammar of nginx. What cannot be read is a fault, and reading goes on behind it. */
export function parseDirectives(
  text: string,
  placeAt: (line: number, column: number) => Place,
  remarks: Remarks,
): readonly Directive[] {
  const positionOf = positions(text);
  const at = (offset: number): Place => placeAt(...positionOf(offset));
  const root: Directive[] = [];
  const open: { readonly into: Directive[]; readonly at: Place }[] = [];
  let into = root;
  let words: Word[] = [];
  const end = (block: Directive[] | undefined, place: Place) => {
    const [name, ...args] = words;
    words = [];
    if (name !== undefined) into.push({ name: name.text, args, at: name.at, block });
    else if (block !== undefined) remarks.fault('', place, 'a block needs a name in front of it');
  };
  for (const { kind, text: word, offset } of tokens(text, (offset, message) =>
    remarks.fault('', at(offset), message),
  )) {
    const place = at(offset);
    if (kind === 'word') words.push({ text: word, at: place });
    else if (kind === ';') end(undefined, place);
    else if (kind === '{') {
      const block: Directive[] = [];
      end(block, place);
      open.push({ into, at: place });
      into = block;
    } else {
      if (words.length > 0) remarks.fault('', words[0]!.at, 'a semicolon is missing behind this');
      end(undefined, place);
      const outer = open.pop();
      if (outer === undefined) remarks.fault('', place, 'no block is open that this brace could close');
      else into = outer.into;
    }
  }
  if (words.length > 0) remarks.fault('', words[0]!.at, 'a semicolon is missing behind this');
  for (const block of open) remarks.fault('', block.at, 'the block that opens here is not closed');
  return root;
}

function* tokens(text: string, fault: (offset: number, message: string) => void): Generator<Token> {
  for (const match of text.matchAll(TOKEN)) {
    const { quoted, mark, word } = match.groups ?? {};
    const offset = match.index;
    if (quoted !== undefined) {
      if (quoted.length < 2 || quoted.at(-1) !== quoted[0])
        fault(offset, 'the quote that opens here is not closed');
      yield { kind: 'word', text: quoted.slice(1, -1).replaceAll(/\\(["'\\])/g, '$1'), offset };
    } else if (mark === '{' || mark === '}' || mark === ';') yield { kind: mark, text: mark, offset };
    else if (word !== undefined) yield { kind: 'word', text: word, offset };
  }
}
