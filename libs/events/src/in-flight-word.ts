/** More backends than this do not go into one message: 80 bytes each at most, and a message may have a megabyte. */
const BACKENDS_PER_WORD_MAX = 10_000;

/** One message of a gateway about what it has under way. Those of one round together are all of it. */
export interface InFlightWord {
  readonly round: number;
  /** More messages of this round follow. */
  readonly more: boolean;
  /** Requests under way by id of the backend, only those above 0. */
  readonly inFlight: ReadonlyMap<string, number>;
}

/** The messages of one round. */
export function encodeWords(round: number, inFlight: ReadonlyMap<string, number>): string[] {
  const all = [...inFlight];
  const words: string[] = [];
  do {
    const part = all.splice(0, BACKENDS_PER_WORD_MAX);
    words.push(JSON.stringify({ round, more: all.length > 0, inFlight: Object.fromEntries(part) }));
  } while (all.length > 0);
  return words;
}

/** Undefined for what is no such message. */
export function decodeWord(payload: string): InFlightWord | undefined {
  try {
    const word: unknown = JSON.parse(payload);
    if (typeof word !== 'object' || word === null) return undefined;
    const { round, more, inFlight } = word as Partial<Record<string, unknown>>;
    if (typeof round !== 'number' || typeof more !== 'boolean') return undefined;
    if (typeof inFlight !== 'object' || inFlight === null) return undefined;
    const counts = Object.entries(inFlight).filter((entry): entry is [string, number] => isCount(entry[1]));
    return { round, more, inFlight: new Map(counts) };
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
