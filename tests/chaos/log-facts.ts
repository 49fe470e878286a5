import { openJetStream } from '@usher/event-log';
import type { EventLog, Tail } from '@usher/ports';
import { RecordingLog, wallClock } from '@usher/testing';

/** What the log says of the requests that its gateways answered, read all the time. */
export class LogFacts {
  /** Requests by gateway. */
  readonly requests = new Map<string, number>();
  /** Of each type, how many. */
  readonly types = new Map<string, number>();
  /** Events whose id was there before. */
  repeated = 0;
  readonly #ids = new Set<string>();
  readonly #events: EventLog;
  readonly #tail: Tail;

  private constructor(events: EventLog) {
    this.#events = events;
    this.#tail = events.tail(0, (record) => {
      for (const event of record.events) {
        if (this.#ids.has(event.id)) this.repeated += 1;
        this.#ids.add(event.id);
        this.types.set(event.type, (this.types.get(event.type) ?? 0) + 1);
        if (event.type !== 'gateway.observed') continue;
        const { gateway, requests } = event.data;
        this.requests.set(gateway, (this.requests.get(gateway) ?? 0) + requests);
      }
    });
  }

  static async open(servers: readonly string[]): Promise<LogFacts> {
    const log = new RecordingLog();
    const { events } = await openJetStream({ servers, name: 'chaos-reader', clock: wallClock, log });
    const facts = new LogFacts(events);
    await facts.#tail.caughtUp;
    return facts;
  }

  async close(): Promise<void> {
    await this.#tail.stop();
    await this.#events.close();
  }
}
