import { RecordingLog } from '@usher/testing';
import type { AttemptOutcome, BackendRow, BackendSlot, PoolTable, TableDelta } from '../routing-table.ts';
import type { StoreAsks } from '../sticky/store-asks.ts';
import type { BreakerNews } from '../table/breaker-news.ts';
import type { PoolNews } from '../table/pool-news.ts';
import { WorkerTable } from '../table/worker-table.ts';
import { pool, row } from './fixtures.ts';
import { tableOptions } from './table-options.ts';

export const START = 1_000_000;

/** A worker's table with the pool `web` and a clock that a test moves. */
export class TestTable {
  readonly news: BreakerNews[] = [];
  readonly poolNews: PoolNews[] = [];
  readonly log = new RecordingLog();
  /** Sessions that left a backend. */
  readonly moves: unknown[][] = [];
  readonly table: WorkerTable;
  nowMs = START;
  #position = 0;

  /** `asks`: whom it asks for sessions that are in the store. */
  constructor(rows: readonly BackendRow[], settings = pool(), asks?: StoreAsks, worker = 0) {
    this.table = new WorkerTable(
      tableOptions(0.4, {
        onBreaker: (news) => this.news.push(news),
        onPoolNews: (news) => this.poolNews.push(news),
        onMoved: (...move) => this.moves.push(move),
        log: this.log,
        now: () => this.nowMs,
        worker,
        ...(asks === undefined ? {} : { asks }),
      }),
    );
    this.apply({ kind: 'pool', settings }, ...rows.map((each) => ({ kind: 'backend', row: each }) as const));
    this.apply({ kind: 'policy', policy: this.table.policy });
  }

  get pool(): PoolTable {
    return this.table.match('any', '/')!.pool;
  }

  apply(...deltas: TableDelta[]): void {
    this.table.apply(deltas, ++this.#position, this.nowMs);
  }

  set(id: string, changes: Partial<BackendRow> = {}): void {
    this.apply({ kind: 'backend', row: row(id, changes) });
  }

  /** Who may be chosen now. */
  get choosable(): string {
    return this.pool.eligible.map(({ id }) => id).join(' ');
  }

  slot(id: string): BackendSlot {
    return this.pool.slots.find((each) => each.id === id)!;
  }

  /** Attempts that begin and end at once. */
  attempts(slot: BackendSlot, ...outcomes: AttemptOutcome[]): void {
    for (const outcome of outcomes) {
      this.table.begin(slot);
      this.table.finish(this.pool, slot, outcome, 0, this.nowMs);
    }
  }

  trip(id: string): void {
    this.attempts(this.slot(id), 'connect_failed', 'connect_failed', 'connect_failed');
  }

  advance(ms: number): void {
    this.nowMs += ms;
    this.table.tick(this.nowMs);
  }
}
