/** One message as a parser read it. */
export interface ReadMessage {
  /** `GET /path`, or the three digits of a status. */
  readonly start: string;
  /** Names and values in turn. */
  readonly fields: readonly string[];
  readonly payload: string;
  readonly trailers: readonly string[];
  /** Its end was found. */
  readonly complete: boolean;
}

/** What a parser made of some bytes. */
export interface Reading {
  readonly messages: readonly ReadMessage[];
  /** Why it stopped before the end of the bytes; undefined when it only wants more. */
  readonly refusal: string | undefined;
}

/** What is left of a message by which two readings of it differ; undefined when they are alike. */
export function differenceOf(ours: ReadMessage, theirs: ReadMessage): string | undefined {
  if (ours.start !== theirs.start) return `start ${ours.start} / ${theirs.start}`;
  if (!alike(ours.fields, theirs.fields))
    return `fields ${JSON.stringify(ours.fields)} / ${JSON.stringify(theirs.fields)}`;
  if (ours.complete !== theirs.complete) return `complete ${ours.complete} / ${theirs.complete}`;
  if (ours.payload !== theirs.payload)
    return `payload ${JSON.stringify(ours.payload)} / ${JSON.stringify(theirs.payload)}`;
  if (ours.complete && !alike(ours.trailers, theirs.trailers))
    return `trailers ${JSON.stringify(ours.trailers)} / ${JSON.stringify(theirs.trailers)}`;
  return undefined;
}

function alike(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, at) => text === b[at]);
}
