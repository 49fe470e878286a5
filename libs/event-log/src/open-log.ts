import type { EventLog, MessageBus } from '@usher/ports';

/** An event log with the bus that belongs to it. */
export interface OpenLog {
  readonly events: EventLog;
  readonly bus: MessageBus;
  readonly close: () => Promise<void>;
}
