import { Document, isMap, isScalar, isSeq, type Scalar } from 'yaml';
import { type MapInput, plainOf } from '../input/input.ts';
import { root as usher } from '../keys/root.ts';
import { formatNote, type Note } from './remarks.ts';

/** Longer maps and lists get a line for each of their parts. */
const LINE_CHARS_MAX = 120;

/** A configuration as a file of Usher: each section with what it is for, and at the top what is not the same. */
export function printConfig(root: MapInput, made: string, notes: readonly Note[]): string {
  const document = new Document(plainOf(root));
  const { contents } = document;
  if (isMap(contents)) {
    for (const [index, { key, value }] of contents.items.entries()) {
      if (isScalar(key)) comment(key, index === 0);
      layOut(value);
    }
  }
  const remarks =
    notes.length === 0
      ? []
      : ['', 'Not the same as before:', ...notes.map((note) => `- ${formatNote(note)}`)];
  document.commentBefore = [made, ...remarks].map((line) => ` ${line}`.trimEnd()).join('\n');
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

/** The first sentence of what the reference says about a key. */
function comment(key: Scalar, isFirst: boolean): void {
  const { shape } = usher;
  const doc = shape.kind === 'section' ? shape.keys[String(key.value)]?.doc : undefined;
  const sentence = doc?.split(/(?<=\.) /)[0];
  if (sentence !== undefined) key.commentBefore = ` ${sentence}`;
  key.spaceBefore = !isFirst;
}

function layOut(node: unknown): void {
  if (!isMap(node) && !isSeq(node)) return;
  if (JSON.stringify(node.toJSON()).length <= LINE_CHARS_MAX) {
    node.flow = true;
    return;
  }
  for (const item of node.items) layOut(isMap(node) ? (item as { value: unknown }).value : item);
}
