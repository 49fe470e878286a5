import {
  type Appended,
  type EventLog,
  type LogRecord,
  type LogStatus,
  LogUnavailableError,
  type Position,
  type RecordDraft,
  type Snapshot,
  type Tail,
} from '@usher/ports';
import type { Link } from './link.ts';
import { OrderedReader } from './ordered-reader.ts';
import { lastMessage, publishRecord, unavailable } from './publish.ts';
import { loadSnapshot, saveSnapshot } from './snapshots.ts';
import { EVENTS_STREAM } from './streams.ts';

/** How long a replay waits for a record that is known to be there. */
const STALLED_MS_MAX = 30_000;

/** The event log in a stream of NATS JetStream; a position is a sequence number of the stream. */
export class JetStreamEventLog implements EventLog {
  readonly #link: Link;
  readonly #readers = new Set<OrderedReader>();

  constructor(link: Link) {
    this.#link = link;
  }

  append(draft: RecordDraft): Promise<Appended> {
    return publishRecord(this.#link, draft);
  }

  async replay(after: Position, apply: (record: LogRecord) => void, until?: Position): Promise<Position> {
    const head = await this.head();
    const end = Math.min(until ?? head, head);
    if (end <= after) return after;
    const reader = new OrderedReader(this.#link, after, apply, end);
    this.#readers.add(reader);
    const stalled = Promise.withResolvers<void>();
    let seen = after;
    const watchdog = this.#link.clock.every(STALLED_MS_MAX, () => {
      if (reader.position === seen) stalled.reject(new LogUnavailableError('NATS does not deliver the log'));
      seen = reader.position;
    });
    try {
      await Promise.race([reader.caughtUp, stalled.promise]);
      return reader.position;
    } finally {
      watchdog.cancel();
      this.#forget(reader);
    }
  }

  tail(after: Position, apply: (record: LogRecord) => void): Tail {
    if (this.#link.closed) throw new LogUnavailableError('the event log is closed');
    const reader = new OrderedReader(this.#link, after, apply);
    this.#readers.add(reader);
    return {
      get position() {
        return reader.position;
      },
      caughtUp: reader.caughtUp,
      stop: async () => this.#forget(reader),
    };
  }

  async head(): Promise<Position> {
    this.#link.assertSameLog();
    const { manager } = await this.#link.awaitSession();
    const info = await this.#ask(manager.streams.info(EVENTS_STREAM));
    const { last_seq: head } = info.state;
    this.#link.identity.reach(head);
    return head;
  }

  async lastOf(subject: string): Promise<Position> {
    this.#link.assertSameLog();
    const { manager } = await this.#link.awaitSession();
    const last = await this.#ask(lastMessage(this.#link, manager, subject));
    return last?.seq ?? 0;
  }

  async saveSnapshot(snapshot: Snapshot): Promise<void> {
    this.#link.assertSameLog();
    await this.#ask(saveSnapshot(this.#link, snapshot));
  }

  async loadSnapshot(until = Number.POSITIVE_INFINITY): Promise<Snapshot | undefined> {
    const session = await this.#link.awaitSession();
    return this.#ask(loadSnapshot(this.#link, session, until));
  }

  status(): LogStatus {
    return this.#link.status.current;
  }

  onStatus(listener: (status: LogStatus) => void): void {
    this.#link.status.listen(listener);
  }

  async close(): Promise<void> {
    for (const reader of this.#readers) this.#forget(reader);
    await this.#link.close();
  }

  #forget(reader: OrderedReader): void {
    reader.stop();
    this.#readers.delete(reader);
  }

  async #ask<T>(answer: Promise<T>): Promise<T> {
    try {
      return await this.#link.guard(answer);
    } catch (error) {
      throw unavailable(error);
    }
  }
}
