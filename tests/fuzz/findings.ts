import { DIFFERENCES } from './differences.ts';
import { differenceOf, type Reading, type ReadMessage } from './reading.ts';

/** How two readings of the same bytes compare. */
export type Comparison =
  /** Both accepted at least one message, and the same ones. */
  | { readonly kind: 'same' }
  /** Neither accepted a whole message. */
  | { readonly kind: 'neither' }
  /** We refused, or still wait for, what Node accepted. */
  | { readonly kind: 'stricter' }
  /** We accepted what Node refused, and that is on purpose. */
  | { readonly kind: 'known'; readonly name: string }
  | { readonly kind: 'finding'; readonly what: string };

/** Compares message by message as far as we accepted them: nothing else goes anywhere. */
export function compare(ours: Reading, theirs: Reading, raw: string): Comparison {
  let whole = 0;
  for (const [at, message] of ours.messages.entries()) {
    const other = theirs.messages[at];
    if (other === undefined || (message.complete && !other.complete)) {
      return unshared(message, other, theirs.refusal, raw);
    }
    // Of a body that broke off or that we refused the two need not have seen the same part.
    const decided = message.complete || (ours.refusal === undefined && theirs.refusal === undefined);
    const compared = decided ? message : { ...message, complete: other.complete, payload: other.payload };
    const difference = differenceOf(compared, message.complete ? other : { ...other, trailers: [] });
    if (difference !== undefined) {
      const known = message.complete ? undefined : knownDifference(theirs.refusal, message, raw);
      return known ?? { kind: 'finding', what: difference };
    }
    if (message.complete) whole++;
  }
  if (whole > 0) return { kind: 'same' };
  return { kind: theirs.messages.some(({ complete }) => complete) ? 'stricter' : 'neither' };
}

/** We have a message, or the end of one, that Node does not have. */
function unshared(
  message: ReadMessage,
  other: ReadMessage | undefined,
  code: string | undefined,
  raw: string,
): Comparison {
  const known = knownDifference(code, message, raw);
  if (known !== undefined) return known;
  const missing = other === undefined ? 'message' : 'end of message';
  return {
    kind: 'finding',
    what: `accepted by us alone, ${missing} ${message.start}: ${code ?? 'not ended'}`,
  };
}

function knownDifference(
  code: string | undefined,
  message: ReadMessage,
  raw: string,
): Comparison | undefined {
  const known = DIFFERENCES.find((each) => each.explains(code, message, raw));
  return known && { kind: 'known', name: known.name };
}

/** What the place of a split changed; undefined when it changed nothing. */
export function splitFinding(whole: Reading, split: Reading): string | undefined {
  // A head that comes in pieces is looked at only at its line ends, so a fault in it may be noticed later.
  const later = whole.refusal !== undefined && split.refusal === undefined;
  if (whole.refusal !== split.refusal && !later) return `refusal ${whole.refusal} / ${split.refusal}`;
  if (whole.messages.length !== split.messages.length)
    return `messages ${whole.messages.length} / ${split.messages.length}`;
  for (const [at, message] of whole.messages.entries()) {
    const difference = differenceOf(message, split.messages[at]!);
    if (difference !== undefined) return difference;
  }
  return undefined;
}
