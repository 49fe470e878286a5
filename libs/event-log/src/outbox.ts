import type { UsherEvent } from '@usher/events';
import {
  type Clock,
  ConflictError,
  type EventLog,
  type Log,
  LogUnavailableError,
  type Outbox,
  type Position,
} from '@usher/ports';
import { RecordTooLargeError } from './draft.ts';

export interface OutboxOptions {
  readonly events: EventLog;
  readonly clock: Clock;
  readonly log: Log;
  /** Events taken and not yet durable, at most. Default 10 000. */
  readonly pendingMax?: number;
}

export interface ClosableOutbox extends Outbox {
  /** Gives up what is not durable yet and takes nothing more. Flush first. */
  close(): void;
}

const PENDING_MAX = 10_000;
/** A record costs the log about as much with fifty events as with one. */
const RECORD_EVENTS_MAX = 50;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 2000;

/** The events of one subject: one record at a time is on its way, which keeps them in order. */
interface Lane {
  readonly subject: string;
  readonly queue: UsherEvent[];
  /** Position of the subject's last record, as far as is known. */
  expect: Position | undefined;
  sending: boolean;
  /** How many events were ever taken, and how many of them are settled. */
  taken: number;
  settled: number;
}

interface Flush {
  /** How many events of each lane have to be settled. */
  readonly goals: readonly (readonly [Lane, number])[];
  readonly resolve: () => void;
}

/**
 * Creates an outbox on a log. Events of one subject stay in order. While a record is on its way the next one gathers
 * what is offered, so records fill up as the log gets slow. A record that may or may not have been stored is sent again
 * with the same ids, on condition of the position before it: so the log knows it again however long the outage was.
 */
export function createOutbox(options: OutboxOptions): ClosableOutbox {
  return new LogOutbox(options);
}

class LogOutbox implements ClosableOutbox {
  readonly #events: EventLog;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #pendingMax: number;
  readonly #lanes = new Map<string, Lane>();
  readonly #flushes = new Set<Flush>();
  /** Lanes that wait before they try again. */
  readonly #sleepers = new Set<() => void>();
  #pending = 0;
  #closed = false;

  constructor({ events, clock, log, pendingMax = PENDING_MAX }: OutboxOptions) {
    this.#events = events;
    this.#clock = clock;
    this.#log = log;
    this.#pendingMax = pendingMax;
    events.onStatus(({ connected }) => {
      if (connected) this.#wakeAll();
    });
  }

  get pending(): number {
    return this.#pending;
  }

  offer(subject: string, events: readonly UsherEvent[]): boolean {
    if (this.#closed || this.#pending + events.length > this.#pendingMax) return false;
    const lane = this.#laneOf(subject);
    lane.queue.push(...events);
    lane.taken += events.length;
    this.#pending += events.length;
    if (!lane.sending) void this.#send(lane);
    return true;
  }

  async flush(timeoutMs: number): Promise<void> {
    const goals = [...this.#lanes.values()].map((lane) => [lane, lane.taken] as const);
    if (isReached(goals)) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const flush = { goals, resolve };
    this.#flushes.add(flush);
    const timer = this.#clock.after(timeoutMs, () =>
      reject(new LogUnavailableError(`${this.#pending} events are not durable after ${timeoutMs} ms`)),
    );
    await promise.finally(() => {
      timer.cancel();
      this.#flushes.delete(flush);
    });
  }

  close(): void {
    this.#closed = true;
    this.#wakeAll();
  }

  #laneOf(subject: string): Lane {
    let lane = this.#lanes.get(subject);
    if (lane === undefined) {
      lane = { subject, queue: [], expect: undefined, sending: false, taken: 0, settled: 0 };
      this.#lanes.set(subject, lane);
    }
    return lane;
  }

  async #send(lane: Lane): Promise<void> {
    lane.sending = true;
    // What is offered in this turn goes together.
    await Promise.resolve();
    while (lane.queue.length > 0 && !this.#closed) {
      const count = await this.#sendRecord(lane, lane.queue.slice(0, RECORD_EVENTS_MAX));
      lane.queue.splice(0, count);
      lane.settled += count;
      this.#pending -= count;
      for (const flush of this.#flushes) {
        if (isReached(flush.goals)) flush.resolve();
      }
    }
    lane.sending = false;
  }

  /**
   * Sends until the events are durable, or can never be; returns how many it was about, 0 when it was closed. The
   * record must not change on the way: the log knows it again by the id of its first event alone.
   */
  async #sendRecord(lane: Lane, events: readonly UsherEvent[]): Promise<number> {
    const { subject } = lane;
    let retryMs = RETRY_MS_MIN;
    while (!this.#closed) {
      try {
        lane.expect ??= await this.#events.lastOf(subject);
        const { position } = await this.#events.append({ subject, events, expect: lane.expect });
        lane.expect = position;
        return events.length;
      } catch (error) {
        if (error instanceof ConflictError) {
          lane.expect = error.actual;
        } else if (error instanceof LogUnavailableError) {
          await this.#sleep(retryMs);
          retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
        } else if (error instanceof RecordTooLargeError && events.length > 1) {
          return this.#sendRecord(lane, events.slice(0, Math.ceil(events.length / 2)));
        } else {
          const types = [...new Set(events.map(({ type }) => type))];
          this.#log.error('events were dropped: the log can never take them', { subject, types, error });
          return events.length;
        }
      }
    }
    return 0;
  }

  /** Waits for a while, or until the log is connected again. */
  async #sleep(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#clock.after(ms, resolve);
    this.#sleepers.add(resolve);
    await promise;
    timer.cancel();
    this.#sleepers.delete(resolve);
  }

  #wakeAll(): void {
    for (const wake of this.#sleepers) wake();
  }
}

function isReached(goals: Flush['goals']): boolean {
  return goals.every(([lane, goal]) => lane.settled >= goal);
}
