/** How many entries share a place. The more, the less often one that is in use is pushed out by others of its place. */
const WAYS = 8;

/** What a table finds by a text. */
export interface TextEntry {
  /** What it is found by: a string of its own, not a part of a longer one that it would keep in memory. */
  readonly text: string;
  /** Tells entries apart whose texts have nothing to do with each other. */
  readonly space: string;
}

/**
 * Entries by text, never more than a fixed number: one that comes pushes out one that was not used for long. An entry is
 * found without copying the text. The hash says only where to look, so who can choose texts of one hash pushes out the few
 * entries beside his own, and finds none of another's.
 */
export class TextTable<E extends TextEntry> {
  readonly #mask: number;
  readonly #max: number;
  /** Made with the first entry. Within a place, what was used more lately comes first, more or less. */
  #hashes: Int32Array | undefined;
  #entries: (E | undefined)[] = [];
  #size = 0;

  /** `max`: a power of two. */
  constructor(max: number) {
    this.#max = max;
    this.#mask = max / WAYS - 1;
  }

  get size(): number {
    return this.#size;
  }

  /** The entry of `text[start..end)`, whose hash is `hash`. */
  find(hash: number, space: string, text: string, start: number, end: number): E | undefined {
    const hashes = this.#hashes;
    if (hashes === undefined) return undefined;
    const signed = hash | 0;
    const first = (hash & this.#mask) * WAYS;
    for (let at = first; at < first + WAYS; at++) {
      if (hashes[at] !== signed) continue;
      const entry = this.#entries[at];
      if (entry === undefined || entry.space !== space || !isText(entry.text, text, start, end)) continue;
      if (at > first) this.#swap(at, at - 1);
      return entry;
    }
    return undefined;
  }

  /** Every entry whose text has this hash. */
  *withHash(hash: number): IterableIterator<E> {
    const first = (hash & this.#mask) * WAYS;
    for (let at = first; at < first + WAYS; at++) {
      const entry = this.#entries[at];
      if (entry !== undefined && this.#hashes?.[at] === (hash | 0)) yield entry;
    }
  }

  /** Adds an entry whose text and space no other has. */
  add(hash: number, entry: E): void {
    const hashes = (this.#hashes ??= this.#open());
    const first = (hash & this.#mask) * WAYS;
    const last = first + WAYS - 1;
    if (this.#entries[last] === undefined) this.#size += 1;
    this.#entries.copyWithin(first + 1, first, last);
    hashes.copyWithin(first + 1, first, last);
    this.#entries[first] = entry;
    hashes[first] = hash | 0;
  }

  clear(): void {
    this.#hashes = undefined;
    this.#entries = [];
    this.#size = 0;
  }

  #open(): Int32Array {
    this.#entries = Array.from({ length: this.#max }, () => undefined);
    return new Int32Array(this.#max);
  }

  #swap(a: number, b: number): void {
    const hashes = this.#hashes!;
    const hash = hashes[a]!;
    const entry = this.#entries[a];
    hashes[a] = hashes[b]!;
    this.#entries[a] = this.#entries[b];
    hashes[b] = hash;
    this.#entries[b] = entry;
  }
}

function isText(one: string, text: string, start: number, end: number): boolean {
  // Several times as fast as looking at each character.
  return one.length === end - start && text.slice(start, end) === one;
}
