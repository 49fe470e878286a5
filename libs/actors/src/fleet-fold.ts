import { emptyFleet, type FleetState } from '@usher/domain';
import type { FleetView, LogRecord, Position, Snapshot, Subscription } from '@usher/ports';
import { applyEvent, applyReceipt } from './fold/apply-event.ts';
import { digestOf } from './fold/digest.ts';
import { restoreState, SNAPSHOT_FORMAT, saveState } from './fold/snapshot-format.ts';

/** How many of the newest records are remembered to recognise one that was stored twice by a resend. */
const RECENT_RECORDS_MAX = 4096;

/** The fold of the event log: hand it records in order, read the state. The same records give the same digest anywhere. */
export class FleetFold implements FleetView {
  #state: FleetState = emptyFleet();
  #position: Position = 0;
  #lastId: string | undefined;
  #recent = new Set<string>();
  #digest: string | undefined;
  readonly #listeners = new Set<(record: LogRecord) => void>();

  /** Continues from a snapshot; undefined when it is of another format, or is not what this format says. */
  static restore(snapshot: Snapshot): FleetFold | undefined {
    const saved = snapshot.format === SNAPSHOT_FORMAT ? restoreState(snapshot.state) : undefined;
    if (saved === undefined) return undefined;
    const fold = new FleetFold();
    fold.#state = saved.state;
    fold.#position = snapshot.position;
    fold.#recent = new Set(saved.recent);
    fold.#lastId = saved.lastId;
    return fold;
  }

  get state(): FleetState {
    return this.#state;
  }

  get position(): Position {
    return this.#position;
  }

  /** Id of the first event of the last record, by which a log is known again; undefined when that had none. */
  get lastId(): string | undefined {
    return this.#lastId;
  }

  apply(record: LogRecord): void {
    if (record.position <= this.#position) return;
    this.#position = record.position;
    const first = record.events[0];
    this.#lastId = first?.id;
    const news = first !== undefined && !this.#recent.has(first.id);
    if (news) {
      this.#remember(first.id);
      for (const event of record.events) applyEvent(this.#state, event, record.position);
      applyReceipt(this.#state, record.events, record.position);
      this.#digest = undefined;
    }
    // Also a record that changed nothing moves the position, for which someone may be waiting.
    const seen = news ? record : { ...record, events: [] };
    for (const listener of this.#listeners) listener(seen);
  }

  digest(): string {
    this.#digest ??= digestOf(this.#state);
    return this.#digest;
  }

  snapshot(): Snapshot {
    const state = saveState({ state: this.#state, recent: [...this.#recent], lastId: this.#lastId });
    return { position: this.#position, format: SNAPSHOT_FORMAT, state };
  }

  onRecord(listener: (record: LogRecord) => void): Subscription {
    this.#listeners.add(listener);
    return { stop: () => this.#listeners.delete(listener) };
  }

  #remember(id: string): void {
    this.#recent.add(id);
    if (this.#recent.size <= RECENT_RECORDS_MAX) return;
    for (const oldest of this.#recent) {
      this.#recent.delete(oldest);
      break;
    }
  }
}
