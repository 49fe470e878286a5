import { eventSubject, type UsherEvent } from '@usher/events';
import type { EventLog, LogRecord, Position } from '@usher/ports';
import { seededRandom } from './seeded-random.ts';

/** What the contract suite needs to know about a driver. One harness is one log; logs opened on it share its storage. */
export interface EventLogHarness {
  /** Opens the log, or opens it again after it has been closed. */
  open(): Promise<EventLog>;
  /** Puts text into the log as a strange or newer program would. No log is open meanwhile. */
  storeRaw(subject: string, text: string): Promise<void>;
  /** Leaves a snapshot of which the end is missing, as a crash while saving would. No log is open meanwhile. */
  storeTornSnapshot(position: Position): Promise<void>;
  dispose(): Promise<void>;
}

/** The harness and the open log of the test that runs. */
export class ContractContext {
  #current: { readonly harness: EventLogHarness; readonly log: EventLog } | undefined;
  readonly #createHarness: () => Promise<EventLogHarness>;

  constructor(createHarness: () => Promise<EventLogHarness>) {
    this.#createHarness = createHarness;
  }

  get log(): EventLog {
    return this.#now().log;
  }

  get harness(): EventLogHarness {
    return this.#now().harness;
  }

  async start(): Promise<void> {
    const harness = await this.#createHarness();
    this.#current = { harness, log: await harness.open() };
  }

  async reopen(meanwhile: () => Promise<void> = async () => {}): Promise<void> {
    const { harness, log } = this.#now();
    await log.close();
    await meanwhile();
    this.#current = { harness, log: await harness.open() };
  }

  async end(): Promise<void> {
    const { harness, log } = this.#now();
    await log.close();
    await harness.dispose();
  }

  #now(): { readonly harness: EventLogHarness; readonly log: EventLog } {
    if (this.#current === undefined) throw new Error('no test is running');
    return this.#current;
  }
}

export const SUBJECT = eventSubject('health', 'web-1');
export const OTHER_SUBJECT = eventSubject('health', 'web-2');

const random = seededRandom(1);

/** Valid events with new ids; `latencyMs` counts up from `first`, so that order can be seen. */
export function latencyEvents(count: number, first = 0): UsherEvent[] {
  return Array.from({ length: count }, (_, index) => ({
    specversion: '1.0',
    id: random.uuid(),
    source: 'usher/health/test',
    type: 'backend.latency_measured',
    subject: 'web-1',
    time: '2026-01-01T00:00:00.000Z',
    dataversion: 1,
    data: { backend: 'web-1', latencyMs: first + index },
    actor: 'health',
  }));
}

export async function recordsOf(log: EventLog, after: Position = 0, until?: Position): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  await log.replay(after, (record) => records.push(record), until);
  return records;
}

export function idsOf(records: readonly LogRecord[]): string[] {
  return records.flatMap((record) => record.events.map((event) => event.id));
}

/** Follows a log and lets a test wait for what it has seen. */
export function follow(log: EventLog, after: Position = 0) {
  const records: LogRecord[] = [];
  let waiting: { readonly count: number; readonly resolve: () => void } | undefined;
  const tail = log.tail(after, (record) => {
    records.push(record);
    if (waiting !== undefined && records.length >= waiting.count) waiting.resolve();
  });
  return {
    tail,
    records,
    seen: (count: number): Promise<void> => {
      const { promise, resolve } = Promise.withResolvers<void>();
      if (records.length >= count) resolve();
      else waiting = { count, resolve };
      return promise;
    },
  };
}
