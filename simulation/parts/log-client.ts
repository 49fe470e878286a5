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
import type { LogLink } from './log-link.ts';

/** The event log as one process has it: the port on a connection that comes and goes. */
export class LogClient implements EventLog {
  readonly #link: LogLink;
  readonly #by: string;
  readonly #tails = new Set<OrderedTail>();
  #named = 0;
  /** How long this process takes over each record it is handed. */
  readonly #takesMs: () => number;

  constructor(link: LogLink, by: string, takesMs: () => number) {
    this.#link = link;
    this.#by = by;
    this.#takesMs = takesMs;
  }

  append(draft: RecordDraft): Promise<Appended> {
    const what = `append ${draft.events.map(({ type }) => type).join()} to ${draft.subject} at ${draft.expect}`;
    return this.#link.call(what, (server) => server.append(draft, this.#by), true);
  }

  async replay(after: Position, apply: (record: LogRecord) => void, until?: Position): Promise<Position> {
    const records = await this.#link.call('replay', (server) =>
      server.records(after, until ?? Number.POSITIVE_INFINITY),
    );
    for (const record of records) apply(record);
    return records.at(-1)?.position ?? after;
  }

  tail(after: Position, apply: (record: LogRecord) => void): Tail {
    const name = `${this.#by} tail ${++this.#named}`;
    const tail = new OrderedTail(this.#link, name, after, apply, this.#takesMs);
    this.#tails.add(tail);
    return tail;
  }

  head(): Promise<Position> {
    return this.#link.call('head', (server) => server.head());
  }

  lastOf(subject: string): Promise<Position> {
    return this.#link.call('last', (server) => server.lastOf(subject));
  }

  saveSnapshot(snapshot: Snapshot): Promise<void> {
    return this.#link.call('save a snapshot', (server) => server.saveSnapshot(snapshot));
  }

  loadSnapshot(until = Number.POSITIVE_INFINITY): Promise<Snapshot | undefined> {
    return this.#link.call('load a snapshot', (server) => server.loadSnapshot(until));
  }

  status(): LogStatus {
    return this.#link.status.current;
  }

  onStatus(listener: (status: LogStatus) => void): void {
    this.#link.status.listen(listener);
  }

  async close(): Promise<void> {
    for (const tail of this.#tails) await tail.stop();
    this.#link.close();
  }
}

/** Follows the log across broken connections: what it was not handed it asks for again. */
class OrderedTail implements Tail {
  readonly caughtUp: Promise<void>;
  readonly #link: LogLink;
  readonly #name: string;
  readonly #apply: (record: LogRecord) => void;
  readonly #takesMs: () => number;
  readonly #isCaughtUp: () => void;
  #position: Position;
  /** Position at which it has caught up; undefined until the log could be asked. */
  #goal: Position | undefined;
  #session = 0;
  /** Records were lost on the way. */
  #gap = false;
  #opening = false;
  #stopped = false;
  readonly #queue: LogRecord[] = [];
  #taking = false;

  constructor(
    link: LogLink,
    name: string,
    after: Position,
    apply: (record: LogRecord) => void,
    takesMs: () => number,
  ) {
    this.#link = link;
    this.#name = name;
    this.#position = after;
    this.#apply = apply;
    this.#takesMs = takesMs;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.caughtUp = promise;
    this.#isCaughtUp = resolve;
    link.onLook(() => void this.#look());
  }

  get position(): Position {
    return this.#position;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const id = this.#id;
    await this.#link.call('close a tail', async (server) => server.closeSession(id)).catch(() => {});
  }

  get #id(): string {
    return `${this.#name} ${this.#session}`;
  }

  /** Opens a session unless there is one. */
  async #look(): Promise<void> {
    if (this.#opening || this.#stopped) return;
    this.#opening = true;
    try {
      this.#goal ??= await this.#link.call('head', (server) => server.head());
      if (this.#position >= this.#goal) this.#isCaughtUp();
      const id = this.#id;
      const known =
        !this.#gap && (await this.#link.call('ask for the session', async (server) => server.has(id)));
      if (!known) await this.#open();
    } catch (error) {
      // The next look tries again.
      if (!(error instanceof LogUnavailableError)) throw error;
    } finally {
      this.#opening = false;
    }
  }

  async #open(): Promise<void> {
    this.#gap = false;
    this.#session += 1;
    const id = this.#id;
    const last = this.#queue.at(-1)?.position ?? this.#position;
    const take = (records: readonly LogRecord[]): void => {
      if (id === this.#id) this.#take(records);
    };
    const session = { reader: this.#link.node, id, next: last + 1, take };
    await this.#link.call('open a session', (server) => server.open(session));
  }

  #take(records: readonly LogRecord[]): void {
    for (const record of records) {
      const last = this.#queue.at(-1)?.position ?? this.#position;
      if (record.position === last + 1) this.#queue.push(record);
      else if (record.position > last + 1) this.#gap = true;
    }
    if (!this.#taking) this.#next();
  }

  #next(): void {
    const ms = this.#takesMs();
    this.#taking = ms > 0 && this.#queue.length > 0;
    if (this.#taking) this.#link.node.scope.after(ms, () => this.#handOver());
    else while (this.#queue.length > 0 && !this.#stopped) this.#handOverOne();
  }

  #handOver(): void {
    this.#taking = false;
    if (this.#stopped) return;
    this.#handOverOne();
    this.#next();
  }

  #handOverOne(): void {
    const record = this.#queue.shift();
    if (record === undefined) return;
    this.#position = record.position;
    this.#apply(record);
    if (this.#goal !== undefined && this.#position >= this.#goal) this.#isCaughtUp();
  }
}
