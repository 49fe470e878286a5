import {
  type Appended,
  type EventLog,
  type Log,
  type LogRecord,
  type LogStatus,
  LogUnavailableError,
  type Position,
  type RecordDraft,
  type Snapshot,
  type Tail,
} from '@usher/ports';
import { Cursor, type Extent } from './cursor.ts';
import { followLog } from './follow.ts';
import type { DirectoryLock } from './lock.ts';
import { loadSnapshot, saveSnapshot } from './snapshots.ts';
import type { Writer } from './writer.ts';

/** The event log in files of this machine. One process writes; its readers see what is durable. */
export class EmbeddedEventLog implements EventLog {
  readonly #dir: string;
  readonly #writer: Writer;
  readonly #log: Log;
  readonly #lock: DirectoryLock;
  readonly #extent: Extent;
  readonly #tails = new Set<Tail>();
  #savingSnapshot: Promise<void> = Promise.resolve();

  constructor(dir: string, writer: Writer, log: Log, lock: DirectoryLock) {
    this.#dir = dir;
    this.#writer = writer;
    this.#log = log;
    this.#lock = lock;
    this.#extent = {
      // A copy: the list must not grow beyond the size that is read after it.
      segments: () => [...writer.segments],
      async end(first, handle) {
        const { segment, bytes, head } = writer.end;
        return { bytes: first === segment ? bytes : (await handle.stat()).size, head };
      },
    };
  }

  append(draft: RecordDraft): Promise<Appended> {
    return this.#writer.append(draft);
  }

  async replay(after: Position, apply: (record: LogRecord) => void, until?: Position): Promise<Position> {
    const head = await this.head();
    const cursor = new Cursor(this.#dir, this.#extent, after);
    await cursor.read(apply, Math.min(until ?? head, head));
    await cursor.close();
    return cursor.position;
  }

  tail(after: Position, apply: (record: LogRecord) => void): Tail {
    this.#assertOpen();
    const tail = followLog(
      {
        dir: this.#dir,
        extent: this.#extent,
        head: () => this.#writer.end.head,
        watch: (watcher) => this.#writer.watch(watcher),
        failed: (error) => this.#log.error('the event log cannot be read', { error }),
      },
      after,
      apply,
    );
    this.#tails.add(tail);
    return tail;
  }

  async head(): Promise<Position> {
    this.#assertOpen();
    return this.#writer.end.head;
  }

  async lastOf(subject: string): Promise<Position> {
    this.#assertOpen();
    return this.#writer.index.lastOf(subject);
  }

  async saveSnapshot(snapshot: Snapshot): Promise<void> {
    this.#assertOpen();
    // One after the other: two of the same position use the same file.
    const saved = this.#savingSnapshot
      .then(() => this.#lock.assertHeld())
      .then(() => saveSnapshot(this.#dir, snapshot));
    this.#savingSnapshot = saved.catch(() => {});
    return saved.catch((cause: Error) => {
      throw new LogUnavailableError(`the snapshot cannot be written: ${cause.message}`, { cause });
    });
  }

  async loadSnapshot(until = Number.POSITIVE_INFINITY): Promise<Snapshot | undefined> {
    this.#assertOpen();
    return loadSnapshot(this.#dir, until);
  }

  status(): LogStatus {
    return this.#writer.status.current;
  }

  onStatus(listener: (status: LogStatus) => void): void {
    this.#writer.status.listen(listener);
  }

  async close(): Promise<void> {
    if (this.#writer.closed) return;
    for (const tail of this.#tails) await tail.stop();
    await this.#savingSnapshot;
    await this.#writer.close();
    await this.#lock.release();
  }

  #assertOpen(): void {
    if (this.#writer.closed) throw new LogUnavailableError('the event log is closed');
  }
}
