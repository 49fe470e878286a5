import { decodeRecord, encodeRecord } from '@usher/events';
import type { LogRecord, Position, RecordDraft, Snapshot } from '@usher/ports';
import type { Chance } from '../world/chance.ts';

interface Stored {
  readonly subject: string;
  readonly id: string;
  readonly text: string;
  /** Which process had it stored. */
  readonly by: string;
  record: LogRecord | undefined;
}

/** The disk below the log: what is written lasts from the next sync on. Positions have no gaps. */
export class LogDisk {
  readonly #records: Stored[] = [];
  readonly #positionById = new Map<string, Position>();
  readonly #lastBySubject = new Map<string, Position>();
  readonly snapshots: Snapshot[] = [];
  #durable = 0;

  /** Position of the last record that lasts. */
  get durable(): Position {
    return this.#durable;
  }

  /** Position of the last record written. */
  get written(): Position {
    return this.#records.length;
  }

  positionOf(id: string): Position | undefined {
    return this.#positionById.get(id);
  }

  /** Of the last record of a subject, written or lasting; 0 when there is none. */
  lastOf(subject: string): Position {
    return this.#lastBySubject.get(subject) ?? 0;
  }

  write({ subject, events }: RecordDraft, by: string): Position {
    const id = events[0]?.id ?? '';
    const position = this.#records.push({ subject, id, text: encodeRecord(events), by, record: undefined });
    this.#positionById.set(id, position);
    this.#lastBySubject.set(subject, position);
    return position;
  }

  /** Makes what is written last, up to a position. */
  sync(position: Position): void {
    this.#durable = Math.max(this.#durable, position);
  }

  /** Who had the record at a position stored. */
  writerOf(position: Position): string {
    return this.#records[position - 1]?.by ?? '';
  }

  read(position: Position): LogRecord {
    const stored = this.#records[position - 1];
    if (stored === undefined) throw new RangeError(`no record at position ${position}`);
    stored.record ??= { position, subject: stored.subject, ...decodeRecord(stored.text) };
    return stored.record;
  }

  /**
   * The power goes. Of what was not synced the first records may have reached the disk, the next is torn, and the rest is
   * gone. Answers with how many records went.
   */
  crash(chance: Chance): number {
    return this.cut(this.#durable + chance.below(this.#records.length - this.#durable + 1));
  }

  /** Only the first records are left; answers with how many are gone. */
  protected cut(kept: number): number {
    const gone = this.#records.splice(kept);
    for (const { id } of gone) this.#positionById.delete(id);
    this.#lastBySubject.clear();
    for (const [index, { subject }] of this.#records.entries()) this.#lastBySubject.set(subject, index + 1);
    this.#durable = kept;
    return gone.length;
  }
}
