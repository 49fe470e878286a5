import type { FleetState } from '@usher/domain';
import type { Clock, Random } from './clock.ts';
import type { EventLog, LogRecord, Outbox, Position } from './event-log.ts';
import type { Log } from './log.ts';
import type { MessageBus, Subscription } from './message-bus.ts';
import type { Metrics } from './metrics.ts';
import type { StateStore } from './state-store.ts';

/** The process's one fold of the event log, which all services in it share. */
export interface FleetView {
  /** Read only: only the fold changes it. */
  readonly state: FleetState;
  /** Position of the last record folded into `state`. */
  readonly position: Position;
  /** SHA-256 over the canonical form of `state`; equal states have equal digests. */
  digest(): string;
  /** Calls back after each record has been folded; events that were folded before are left out of it. The listener must not throw. */
  onRecord(listener: (record: LogRecord) => void): Subscription;
}

/** What a service is given: every port it may use. Only the composition root builds one. */
export interface ServiceContext {
  /** Name of this process in the fleet: source of its events. */
  readonly instance: string;
  /** Owner of its leases: the name and what no other process has, so that two of one name cannot both hold a lease. */
  readonly owner: string;
  readonly version: string;
  readonly fleet: FleetView;
  readonly events: EventLog;
  readonly outbox: Outbox;
  readonly bus: MessageBus;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface Service {
  readonly name: string;
  /** Undefined when it works as it should, else one sentence about what does not. */
  fault(): string | undefined;
  /** Stops in an orderly way: takes nothing new, finishes what it has, gives up leases. */
  stop(): Promise<void>;
}
