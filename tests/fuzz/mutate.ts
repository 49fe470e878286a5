import type { Chance } from './chance.ts';

const BYTES = '\0\t\n\x0b\x0c\r !"#%,-.:;=@[\\]_{|}~\x7f\x80\x85\xa0\xff019afgxA'.split('');
const PIECES = [
  '\r\n',
  '\r\n\r\n',
  '\n',
  '\r',
  ' ',
  '\t',
  ':',
  '0\r\n\r\n',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Host: b\r\n',
  'Connection: close\r\n',
  ' chunked',
  'GET / HTTP/1.1\r\n',
  'HTTP/1.1',
  '\r\n ',
  ', ',
  '00000000',
];

/** `text` with one to four small changes; `other` is a text that parts may come from. */
export function mutate(chance: Chance, text: string, other: string): string {
  let mutated = text;
  for (let left = 1 + chance.below(4); left > 0; left--) mutated = change(chance, mutated, other);
  return mutated;
}

function change(chance: Chance, text: string, other: string): string {
  const at = chance.below(text.length + 1);
  const end = Math.min(text.length, at + 1 + chance.below(chance.oneIn(4) ? 40 : 3));
  const [before, part, behind] = [text.slice(0, at), text.slice(at, end), text.slice(end)];
  switch (chance.below(9)) {
    case 0:
      return before + chance.pick(BYTES) + text.slice(at + 1);
    case 1:
      return before + chance.pick(BYTES) + text.slice(at);
    case 2:
      return before + behind;
    case 3:
      return before + part + part + behind;
    case 4:
      return before + chance.pick(PIECES) + text.slice(at);
    case 5:
      return before + swapCase(part) + behind;
    case 6:
      return before + other.slice(chance.below(other.length + 1));
    case 7:
      return chance.oneIn(3) ? before : withLinesSwapped(chance, text);
    default:
      return before + String.fromCharCode(chance.below(256)) + text.slice(at + 1);
  }
}

function swapCase(part: string): string {
  const upper = part.toUpperCase();
  return part === upper ? part.toLowerCase() : upper;
}

function withLinesSwapped(chance: Chance, text: string): string {
  const lines = text.split('\r\n');
  const [a, b] = [chance.below(lines.length), chance.below(lines.length)];
  const [atA = '', atB = ''] = [lines[a], lines[b]];
  lines[a] = atB;
  lines[b] = atA;
  return lines.join('\r\n');
}
