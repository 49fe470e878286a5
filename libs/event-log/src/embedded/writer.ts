import { type FileHandle, open } from 'node:fs/promises';
import { encodeRecord } from '@usher/events';
import {
  type Appended,
  type Clock,
  ConflictError,
  type Log,
  LogReplacedError,
  LogUnavailableError,
  type Position,
  type RecordDraft,
} from '@usher/ports';
import { ConnectionStatus } from '../connection-status.ts';
import { firstEventOf, RecordTooLargeError } from '../draft.ts';
import { createSegment, segmentPath } from './files.ts';
import { formatLine } from './line.ts';
import type { DirectoryLock } from './lock.ts';
import { type LogEnd, type LogIndex, saveIndex } from './log-index.ts';
import { faultOf } from './losses.ts';
import type { Recovered } from './recover.ts';

const SEGMENT_BYTES_MAX = 64 * 1024 * 1024;
/** Bounds how long one write and sync takes, and so how long others wait. */
const BATCH_BYTES_MAX = 4 * 1024 * 1024;
const RECORD_BYTES_MAX = 16 * 1024 * 1024;

interface Waiting {
  readonly draft: RecordDraft;
  readonly id: string;
  readonly text: string;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: Error) => void;
}

export interface WriterOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly lock: DirectoryLock;
}

/** A record that the batch being written adds. */
interface Added {
  readonly position: Position;
  readonly subject: string;
  readonly id: string;
}

/**
 * Appends records with group commit: whatever came in while the last write and sync ran is written and synced together,
 * and only then answered. A batch that fails leaves no trace: its bytes are cut off before the next one is written.
 */
export class Writer {
  readonly status: ConnectionStatus;
  readonly index: LogIndex;
  readonly segments: Position[];
  readonly #sealed: LogEnd[];
  #end: LogEnd;
  #handle: FileHandle | undefined;
  /** Bytes behind the end may be on disk, left by a batch that failed. */
  #dirty = false;
  #rotating = false;
  readonly #queue: Waiting[] = [];
  #flushing: Promise<void> | undefined;
  #closed = false;
  readonly #watchers = new Set<() => void>();
  readonly #dir: string;
  readonly #log: Log;
  readonly #lock: DirectoryLock;
  /** Why nothing is written any more, whatever comes. */
  #disowned: LogReplacedError | undefined;

  constructor(dir: string, recovered: Recovered, { clock, log, lock }: WriterOptions) {
    this.#dir = dir;
    this.#log = log;
    this.#lock = lock;
    this.status = new ConnectionStatus(clock, true);
    this.status.setLoss(faultOf(recovered.losses));
    this.index = recovered.index;
    this.segments = recovered.segments;
    this.#sealed = [...recovered.sealed];
    this.#end = recovered.end;
  }

  /** Up to where the log is durable. */
  get end(): LogEnd {
    return this.#end;
  }

  get closed(): boolean {
    return this.#closed;
  }

  async append(draft: RecordDraft): Promise<Appended> {
    if (this.#closed) throw new LogUnavailableError('the event log is closed');
    const { id } = firstEventOf(draft);
    const text = encodeRecord(draft.events);
    const bytes = Buffer.byteLength(text);
    if (bytes > RECORD_BYTES_MAX) throw new RecordTooLargeError(draft.subject, bytes, RECORD_BYTES_MAX);
    return new Promise((resolve, reject) => {
      this.#queue.push({ draft, id, text, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  /** Calls back after each batch that became durable. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** Writes what was taken before, then ends. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#flushing;
    await this.#handle?.close();
    this.#handle = undefined;
    await this.#saveIndex();
  }

  async #flush(): Promise<void> {
    do {
      // Everything that is appended in this turn of the event loop joins the batch.
      await new Promise(setImmediate);
      await this.#commit(this.#takeBatch());
    } while (this.#queue.length > 0);
    this.#flushing = undefined;
  }

  #takeBatch(): Waiting[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#queue.length && bytes < BATCH_BYTES_MAX)
      bytes += this.#queue[count++]?.text.length ?? 0;
    return this.#queue.splice(0, count);
  }

  /** Answers come after the write, refusals too: they may rest on a record of the same batch. */
  async #commit(batch: readonly Waiting[]): Promise<void> {
    const added: Added[] = [];
    const lines: string[] = [];
    const answers: (() => void)[] = [];
    const lastBySubject = new Map<string, Position>();
    const positionById = new Map<string, Position>();
    for (const { draft, id, text, resolve, reject } of batch) {
      const { subject, expect } = draft;
      const stored = positionById.get(id) ?? this.index.positionOf(id);
      const last = lastBySubject.get(subject) ?? this.index.lastOf(subject);
      if (stored !== undefined) {
        answers.push(() => resolve({ position: stored, duplicate: true }));
      } else if (expect !== undefined && expect !== last) {
        answers.push(() => reject(new ConflictError(subject, expect, last)));
      } else {
        const position = this.#end.head + added.length + 1;
        added.push({ position, subject, id });
        lines.push(formatLine(position, subject, id, text));
        lastBySubject.set(subject, position);
        positionById.set(id, position);
        answers.push(() => resolve({ position, duplicate: false }));
      }
    }
    try {
      if (added.length > 0) await this.#write(Buffer.from(lines.join('')), added);
    } catch (error) {
      this.#fail(batch, error as Error);
      return;
    }
    for (const answer of answers) answer();
    for (const watcher of this.#watchers) watcher();
  }

  async #write(bytes: Buffer, added: readonly Added[]): Promise<void> {
    await this.#assertOurs();
    const handle = await this.#writable(bytes.length);
    this.#dirty = true;
    const offset = this.#end.bytes;
    for (let written = 0; written < bytes.length; ) {
      written += (await handle.write(bytes, written, bytes.length - written, offset + written)).bytesWritten;
    }
    await handle.datasync();
    // This process may have stood still for so long that another took over; then nobody may rely on what it wrote.
    await this.#assertOurs();
    this.#dirty = false;
    for (const { position, subject, id } of added) this.index.add(position, subject, id);
    this.#end = {
      ...this.#end,
      bytes: offset + bytes.length,
      head: this.#end.head + added.length,
    };
    this.status.set(true);
  }

  /** The newest segment, without remains behind its end; a new one when the bytes do not fit. */
  async #writable(bytes: number): Promise<FileHandle> {
    if (this.#dirty) await this.#cutOff();
    const full = this.#end.bytes > 0 && this.#end.bytes + bytes > SEGMENT_BYTES_MAX;
    if (this.#end.segment === 0 || full || this.#rotating) await this.#rotate();
    this.#handle ??= await open(segmentPath(this.#dir, this.#end.segment), 'r+');
    const { size, nlink } = await this.#handle.stat();
    if (size === this.#end.bytes && nlink > 0) return this.#handle;
    const path = segmentPath(this.#dir, this.#end.segment);
    throw new LogReplacedError(
      `${path} is not as this process left it (${size} bytes instead of ${this.#end.bytes}${nlink > 0 ? '' : ', and removed'}): commands are refused and traffic goes on with the last state; put it back from a backup if need be, and restart`,
    );
  }

  /** Throws what forbids this process to write: for good, once it has happened. */
  async #assertOurs(): Promise<void> {
    if (this.#disowned !== undefined) throw this.#disowned;
    await this.#lock.assertHeld();
  }

  /** Opens the file anew as well: what a failed sync left in the page cache cannot be trusted. */
  async #cutOff(): Promise<void> {
    const failed = this.#handle;
    this.#handle = undefined;
    await failed?.close();
    this.#handle = await open(segmentPath(this.#dir, this.#end.segment), 'r+');
    await this.#handle.truncate(this.#end.bytes);
    this.#dirty = false;
  }

  async #rotate(): Promise<void> {
    // A segment that could not be made durable may be there all the same: nothing may go into the one before it.
    this.#rotating = true;
    const first = this.#end.head + 1;
    const handle = await createSegment(this.#dir, first);
    const sealed = this.#handle;
    this.#rotating = false;
    this.#handle = handle;
    const previous = this.#end;
    this.#end = { segment: first, bytes: 0, head: previous.head, lost: 0 };
    this.segments.push(first);
    await sealed?.close();
    if (previous.segment === 0) return;
    this.#sealed.push(previous);
    await this.#saveIndex();
  }

  /** Without an index the next start takes longer; nothing else depends on it. */
  async #saveIndex(): Promise<void> {
    if (this.#disowned !== undefined) return;
    try {
      await saveIndex(this.#dir, { index: this.index, sealed: this.#sealed, end: this.#end });
    } catch (error) {
      this.#log.warn('the index of the event log could not be saved; the next start reads more', { error });
    }
  }

  #fail(batch: readonly Waiting[], cause: Error): void {
    if (this.status.current.connected) this.#log.error('the event log cannot be written', { error: cause });
    if (cause instanceof LogReplacedError) {
      this.#disowned = cause;
      this.status.setReplaced(cause.message);
    }
    this.status.set(false);
    const error =
      this.#disowned ??
      new LogUnavailableError(`the event log cannot be written: ${cause.message}`, { cause });
    for (const { reject } of batch) reject(error);
  }
}
