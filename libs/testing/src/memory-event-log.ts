import { decodeRecord, encodeRecord } from '@usher/events';
import type {
  Appended,
  Clock,
  EventLog,
  LogRecord,
  LogStatus,
  Position,
  RecordDraft,
  Snapshot,
  Tail,
} from '@usher/ports';
import { ConflictError, LogUnavailableError } from '@usher/ports';

interface StoredRecord {
  readonly subject: string;
  readonly text: string;
}

/** What outlives a MemoryEventLog: several logs opened on the same storage are one log. */
export class MemoryStorage {
  readonly records: StoredRecord[] = [];
  readonly positionById = new Map<string, Position>();
  readonly lastBySubject = new Map<string, Position>();
  readonly snapshots: Snapshot[] = [];
  readonly watchers = new Set<() => void>();

  /** Stores text as it is, also text that is no record. */
  store(subject: string, text: string): Position {
    const position = this.records.push({ subject, text });
    this.lastBySubject.set(subject, position);
    for (const watcher of this.watchers) watcher();
    return position;
  }
}

/** The event log in memory: for tests and simulations. Durable as long as its storage is referenced. */
export class MemoryEventLog implements EventLog {
  readonly #clock: Clock;
  readonly #storage: MemoryStorage;
  readonly #listeners: ((status: LogStatus) => void)[] = [];
  readonly #tails = new Set<MemoryTail>();
  #status: LogStatus;
  #closed = false;

  constructor(clock: Clock, storage: MemoryStorage = new MemoryStorage()) {
    this.#clock = clock;
    this.#storage = storage;
    this.#status = { connected: true, sinceMs: clock.now() };
  }

  async append(draft: RecordDraft): Promise<Appended> {
    this.#assertAvailable();
    const first = draft.events[0];
    if (first === undefined) throw new RangeError('a record needs at least one event');
    const stored = this.#storage.positionById.get(first.id);
    if (stored !== undefined) return { position: stored, duplicate: true };
    const last = this.#storage.lastBySubject.get(draft.subject) ?? 0;
    if (draft.expect !== undefined && draft.expect !== last) {
      throw new ConflictError(draft.subject, draft.expect, last);
    }
    this.#storage.positionById.set(first.id, this.#storage.records.length + 1);
    const position = this.#storage.store(draft.subject, encodeRecord(draft.events));
    return { position, duplicate: false };
  }

  async replay(after: Position, apply: (record: LogRecord) => void, until?: Position): Promise<Position> {
    this.#assertAvailable();
    const end = Math.min(until ?? Number.POSITIVE_INFINITY, this.#storage.records.length);
    let position = after;
    while (position < end) apply(readRecord(this.#storage, ++position));
    return position;
  }

  tail(after: Position, apply: (record: LogRecord) => void): Tail {
    if (this.#closed) throw new LogUnavailableError('the log is closed');
    const tail = new MemoryTail(this.#storage, after, apply, () => this.#status.connected && !this.#closed);
    this.#tails.add(tail);
    return tail;
  }

  async head(): Promise<Position> {
    this.#assertAvailable();
    return this.#storage.records.length;
  }

  async lastOf(subject: string): Promise<Position> {
    this.#assertAvailable();
    return this.#storage.lastBySubject.get(subject) ?? 0;
  }

  async saveSnapshot(snapshot: Snapshot): Promise<void> {
    this.#assertAvailable();
    this.#storage.snapshots.push(snapshot);
  }

  async loadSnapshot(until = Number.POSITIVE_INFINITY): Promise<Snapshot | undefined> {
    this.#assertAvailable();
    let newest: Snapshot | undefined;
    for (const snapshot of this.#storage.snapshots) {
      if (snapshot.position <= until && snapshot.position >= (newest?.position ?? 0)) newest = snapshot;
    }
    return newest;
  }

  status(): LogStatus {
    return this.#status;
  }

  onStatus(listener: (status: LogStatus) => void): void {
    this.#listeners.push(listener);
  }

  /** Lets a test cut the log off and bring it back: meanwhile calls are refused and tails stand still. */
  setConnected(connected: boolean): void {
    if (connected === this.#status.connected) return;
    this.#status = { connected, sinceMs: this.#clock.now() };
    for (const listener of this.#listeners) listener(this.#status);
    for (const tail of this.#tails) tail.pump();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const tail of this.#tails) await tail.stop();
  }

  #assertAvailable(): void {
    if (this.#closed) throw new LogUnavailableError('the log is closed');
    if (!this.#status.connected) throw new LogUnavailableError('the log is disconnected');
  }
}

class MemoryTail implements Tail {
  readonly caughtUp: Promise<void>;
  #position: Position;
  #pumping = false;
  readonly #storage: MemoryStorage;
  readonly #apply: (record: LogRecord) => void;
  readonly #available: () => boolean;
  readonly #headAtStart: Position;
  readonly #resolveCaughtUp: () => void;
  readonly #watcher = (): void => this.pump();

  constructor(
    storage: MemoryStorage,
    after: Position,
    apply: (record: LogRecord) => void,
    available: () => boolean,
  ) {
    this.#storage = storage;
    this.#position = after;
    this.#apply = apply;
    this.#available = available;
    this.#headAtStart = storage.records.length;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.caughtUp = promise;
    this.#resolveCaughtUp = resolve;
    storage.watchers.add(this.#watcher);
    // Not at once: the caller does not have the tail yet.
    queueMicrotask(() => this.pump());
  }

  get position(): Position {
    return this.#position;
  }

  /** Hands over what there is. A record appended by `apply` itself is handed over after the one at hand. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#following() && this.#position < this.#storage.records.length) {
      const record = readRecord(this.#storage, this.#position + 1);
      this.#position = record.position;
      this.#apply(record);
    }
    this.#pumping = false;
    if (this.#position >= this.#headAtStart) this.#resolveCaughtUp();
  }

  async stop(): Promise<void> {
    this.#storage.watchers.delete(this.#watcher);
  }

  #following(): boolean {
    return this.#storage.watchers.has(this.#watcher) && this.#available();
  }
}

function readRecord(storage: MemoryStorage, position: Position): LogRecord {
  const stored = storage.records[position - 1];
  if (stored === undefined) throw new RangeError(`no record at position ${position}`);
  return { position, subject: stored.subject, ...decodeRecord(stored.text) };
}
