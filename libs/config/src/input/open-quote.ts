import { CST, Lexer } from 'yaml';

/** Marks of the lexer that stand for no character. */
const MARKS: ReadonlySet<string> = new Set([CST.DOCUMENT, CST.FLOW_END, CST.SCALAR]);

/** Offset of the last quoted text. When a quote is never closed this is where it opens; the parser only knows where it should have ended. */
export function lastQuote(text: string): number {
  let offset = 0;
  let last = 0;
  for (const token of new Lexer().lex(text)) {
    if (MARKS.has(token)) continue;
    if (token.startsWith('"') || token.startsWith("'")) last = offset;
    offset += token.length;
  }
  return last;
}
