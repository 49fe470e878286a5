import { comparePlaces, type Fault, formatPlace, type Place } from '../fault.ts';

/** Something in a file of another system that did not become the same in Usher. */
export interface Note {
  /**
   * `open`: it kept somebody out, and nothing does so in its place. `lost`: nothing stands for it. `changed`: what stands for it
   * means something else.
   */
  readonly kind: 'open' | 'lost' | 'changed';
  readonly place: Place;
  /** The key or directive of the other system. */
  readonly path: string;
  /** Why, and what is instead. */
  readonly message: string;
}

/** `file:line:column key: not translated: why`. */
export function formatNote({ kind, place, path, message }: Note): string {
  return `${formatPlace(place)} ${path}: ${WORDS[kind]}: ${message}`;
}

const WORDS = { open: 'left open', lost: 'not translated', changed: 'changed' } as const;

/** Collects what a translation has to say beside its result. A place is told once for each thing that is said of it. */
export class Remarks {
  readonly faults: Fault[] = [];
  readonly #notes: Note[] = [];
  readonly #told = new Set<string>();

  /** First what lets somebody in, and then in the order of the file. */
  get notes(): readonly Note[] {
    const isOpen = ({ kind }: Note) => Number(kind === 'open');
    return this.#notes.toSorted((a, b) => isOpen(b) - isOpen(a) || comparePlaces(a.place, b.place));
  }

  open(path: string, place: Place, message: string): void {
    this.#note({ kind: 'open', path, place, message });
  }

  lost(path: string, place: Place, message: string): void {
    this.#note({ kind: 'lost', path, place, message });
  }

  changed(path: string, place: Place, message: string): void {
    this.#note({ kind: 'changed', path, place, message });
  }

  fault(path: string, place: Place, message: string, suggestion?: string): void {
    if (this.#isNew(`${formatPlace(place)} ${path}`))
      this.faults.push({ path, place, message, ...(suggestion === undefined ? {} : { suggestion }) });
  }

  #note(note: Note): void {
    if (this.#isNew(formatNote(note))) this.#notes.push(note);
  }

  #isNew(text: string): boolean {
    if (this.#told.has(text)) return false;
    this.#told.add(text);
    return true;
  }
}
