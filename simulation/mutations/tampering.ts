import type { FleetFold } from '@usher/actors';
import type { EventLog, FleetView, LogRecord, Outbox, StateStore } from '@usher/ports';
import type { RoutingTable, TableDelta } from '../../services/gateway/src/routing-table.ts';
import type { FromWorker } from '../../services/gateway/src/worker/protocol.ts';
import type { Prober } from '../../services/health/src/prober.ts';
import type { LogDisk } from '../parts/log-disk.ts';

export type ServiceName = 'gateway' | 'scheduler' | 'health' | 'collector';

/** Parts of the fleet put into the place of the right ones, to see whether a run notices. Empty: all as it should be. */
export interface Tampering {
  readonly disk?: () => LogDisk;
  /** The log as a process has it. */
  readonly events?: (events: EventLog, process: string) => EventLog;
  /** What a process folds instead of a record, `index` counting those that it was handed. */
  readonly fold?: (fold: FleetFold, record: LogRecord, process: string) => void;
  /** The state as one service of a process sees it. */
  readonly fleet?: (fleet: FleetView, service: ServiceName) => FleetView;
  readonly outbox?: (outbox: Outbox) => Outbox;
  readonly store?: (store: StateStore) => StateStore;
  /** What a worker tells its gateway; undefined = nothing. */
  readonly worker?: (message: FromWorker) => FromWorker | undefined;
  /** What a gateway lets a worker know of backends and pools. */
  readonly delta?: (delta: TableDelta) => TableDelta | undefined;
  /** What requests go by in a worker. */
  readonly table?: (table: RoutingTable) => RoutingTable;
  readonly prober?: (prober: Prober) => Prober;
}
