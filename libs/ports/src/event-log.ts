import type { Quarantined, UsherEvent } from '@usher/events';

/** Place of a record in the log: 1 for the first, increasing, not necessarily without gaps. 0 = before the first. */
export type Position = number;

/** Records to append: the events become durable together, in order, or not at all. At least one event. */
export interface RecordDraft {
  /** The aggregate, a subject below `usher.events`. */
  readonly subject: string;
  readonly events: readonly UsherEvent[];
  /** Append only if this is the position of the subject's last record; 0 = it has none. Absent = unconditional. */
  readonly expect?: Position;
}

export interface LogRecord {
  readonly position: Position;
  readonly subject: string;
  readonly events: readonly UsherEvent[];
  readonly quarantined: readonly Quarantined[];
}

export interface Appended {
  readonly position: Position;
  /** The record was in the log already: same id of its first event. Nothing was written. */
  readonly duplicate: boolean;
}

/** Another record was appended to the subject since `expect` was read. */
export class ConflictError extends Error {
  /** Position of the subject's last record. */
  readonly actual: Position;

  constructor(subject: string, expected: Position, actual: Position) {
    super(`${subject}: expected position ${expected}, but it is at ${actual}`);
    this.name = 'ConflictError';
    this.actual = actual;
  }
}

/** The log cannot be reached or written now; whether an append in flight was stored is unknown, so resend the same ids. */
export class LogUnavailableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LogUnavailableError';
  }
}

/**
 * The log is not the one that this process has read: it ends before what was read, or was made anew. Nothing is written to
 * it any more, since nothing written would reach the state; the message says what to do.
 */
export class LogReplacedError extends LogUnavailableError {
  constructor(message: string) {
    super(message);
    this.name = 'LogReplacedError';
  }
}

export interface Tail {
  /** Position of the last record handed over. */
  readonly position: Position;
  /** Resolves once every record that was in the log when the tail was opened has been handed over. */
  readonly caughtUp: Promise<void>;
  stop(): Promise<void>;
}

/** A saved state of a fold: replaying from `position` on is as good as replaying all. */
export interface Snapshot {
  readonly position: Position;
  /** Format of `state`; a snapshot of another format is ignored. */
  readonly format: number;
  readonly state: string;
}

export interface LogStatus {
  readonly connected: boolean;
  /** Since when it has been so, in milliseconds since the epoch. */
  readonly sinceMs: number;
  /** What is wrong with the log itself, in a sentence that says what to do: it lacks records, or is another log. */
  readonly fault?: string;
  /** The fault is that it is another log: appends are refused with LogReplacedError. */
  readonly replaced?: true;
}

/**
 * The ordered, durable log of events. Drivers: memory, embedded files, NATS JetStream; one contract suite holds them
 * to the same behaviour. A record is handed over once, in order, without gaps, across reconnects.
 */
export interface EventLog {
  /** Resolves when the record is durable. Throws ConflictError, LogUnavailableError, LogReplacedError. Idempotent by the first event's id. */
  append(draft: RecordDraft): Promise<Appended>;
  /** Hands over the records after `after` up to `until` or else the present end; resolves with the last position handed over, or `after`. */
  replay(after: Position, apply: (record: LogRecord) => void, until?: Position): Promise<Position>;
  /** Replays, then follows. `apply` must not throw. */
  tail(after: Position, apply: (record: LogRecord) => void): Tail;
  /** Position of the last record; 0 when empty. */
  head(): Promise<Position>;
  /** Position of the last record of a subject; 0 when it has none. */
  lastOf(subject: string): Promise<Position>;
  saveSnapshot(snapshot: Snapshot): Promise<void>;
  /** The newest whole snapshot at or before `until`, or else the newest; undefined when there is none. */
  loadSnapshot(until?: Position): Promise<Snapshot | undefined>;
  status(): LogStatus;
  onStatus(listener: (status: LogStatus) => void): void;
  close(): Promise<void>;
}

/**
 * The way in for facts: ordered, bounded, never awaited by a request. Keeps what is not yet durable and resends the
 * same ids after a disconnect.
 */
export interface Outbox {
  /** False when it is full and the events were not taken; the caller keeps summing and tries again. */
  offer(subject: string, events: readonly UsherEvent[]): boolean;
  /** Resolves when everything offered so far is durable; rejects with LogUnavailableError after `timeoutMs`. */
  flush(timeoutMs: number): Promise<void>;
  /** Events taken and not yet durable. */
  readonly pending: number;
}
