import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Position } from '@usher/ports';
import { replaceFile } from './files.ts';

/** At least so many of the last records are recognised when they are sent again, at most twice as many. */
const RECENT_RECORDS_MIN = 16_384;
/**
 * Of more subjects those are forgotten that were not written to for longest: gateways that are gone, as a rule. Were one written
 * to again, it would be as if it had no records: its writer asks for the position to expect, and gets what the check uses.
 */
const SUBJECTS_MAX = 100_000;
const INDEX_FILE = 'index.json';
const INDEX_VERSION = 2;

/** Where a segment ends. The end of the newest one is where the log goes on: behind its last line. */
export interface LogEnd {
  /** First position of the segment; 0 when there is none. */
  readonly segment: Position;
  readonly bytes: number;
  /** Position of the last record. */
  readonly head: Position;
  /** Records of the segment that are damaged or missing. */
  readonly lost: number;
}

export const EMPTY_END: LogEnd = { segment: 0, bytes: 0, head: 0, lost: 0 };

/** What is saved of a log, so that a start need not read all of it. */
export interface SavedIndex {
  readonly index: LogIndex;
  /** The segments before the newest one. */
  readonly sealed: readonly LogEnd[];
  readonly end: LogEnd;
}

/** What an append must know of the past: the last position of each subject and which records came lately. */
export class LogIndex {
  readonly #lastBySubject: Map<string, Position>;
  /** By id, in two generations: the older one is forgotten as a whole, which costs less than one id at a time. */
  #recent: Map<string, Position>;
  #older = new Map<string, Position>();

  constructor(subjects: Iterable<[string, Position]> = [], ids: Iterable<[string, Position]> = []) {
    this.#lastBySubject = new Map(subjects);
    this.#recent = new Map(ids);
  }

  /** Position of the last record of a subject; 0 when it has none, or none since 100 000 other subjects were written to. */
  lastOf(subject: string): Position {
    return this.#lastBySubject.get(subject) ?? 0;
  }

  /** Position of the record whose first event has the id, if it is a recent one. */
  positionOf(id: string): Position | undefined {
    return this.#recent.get(id) ?? this.#older.get(id);
  }

  add(position: Position, subject: string, id: string): void {
    // To the end: subjects stand in the order of their last records.
    this.#lastBySubject.delete(subject);
    this.#lastBySubject.set(subject, position);
    if (this.#lastBySubject.size > SUBJECTS_MAX) {
      const [oldest] = this.#lastBySubject.keys();
      if (oldest !== undefined) this.#lastBySubject.delete(oldest);
    }
    if (id === '') return;
    this.#recent.set(id, position);
    if (this.#recent.size < RECENT_RECORDS_MIN) return;
    this.#older = this.#recent;
    this.#recent = new Map();
  }

  get subjects(): [string, Position][] {
    return [...this.#lastBySubject];
  }

  get ids(): [string, Position][] {
    return [...this.#older, ...this.#recent];
  }
}

/** Saves the index as it is at `end`, so that the next start reads only what came after. */
export async function saveIndex(dir: string, { index, sealed, end }: SavedIndex): Promise<void> {
  const body = JSON.stringify({
    version: INDEX_VERSION,
    end,
    sealed,
    subjects: index.subjects,
    ids: index.ids,
  });
  await replaceFile(dir, join(dir, INDEX_FILE), `${crc32(body)}\n${body}`);
}

/** The saved index; undefined when there is none that can be trusted, which only costs a longer start. */
export async function loadIndex(dir: string): Promise<SavedIndex | undefined> {
  let text: string;
  try {
    text = await readFile(join(dir, INDEX_FILE), 'utf8');
  } catch {
    return undefined;
  }
  const bodyStart = text.indexOf('\n') + 1;
  const body = text.slice(bodyStart);
  if (Number(text.slice(0, bodyStart)) !== crc32(body)) return undefined;
  const saved = JSON.parse(body) as {
    version: number;
    end: LogEnd;
    sealed: LogEnd[];
    subjects: [string, Position][];
    ids: [string, Position][];
  };
  if (saved.version !== INDEX_VERSION) return undefined;
  return { index: new LogIndex(saved.subjects, saved.ids), sealed: saved.sealed, end: saved.end };
}

/** Forgets the saved index: it is of other files than those that are there, which may grow to look as it says. */
export async function dropIndex(dir: string): Promise<void> {
  await rm(join(dir, INDEX_FILE), { force: true });
}
