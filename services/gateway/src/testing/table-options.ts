import { FastRandom } from '@usher/domain';
import { StoreAsks } from '../sticky/store-asks.ts';
import { ReservationDesk } from '../table/reservation-desk.ts';
import type { WorkerTableOptions } from '../table/worker-table-options.ts';
import { policy } from './fixtures.ts';

/** For a table whose reservations and sessions nobody answers, with the chance `draw`. */
export function tableOptions(draw: number, changes: Partial<WorkerTableOptions> = {}): WorkerTableOptions {
  return {
    policy: policy(),
    random: new FastRandom({ next: () => draw }),
    now: Date.now,
    desk: new ReservationDesk(() => {}),
    asks: new StoreAsks(
      () => {},
      () => 0,
    ),
    onMoved: () => {},
    worker: 0,
    onBreaker: () => {},
    onPoolNews: () => {},
    onKeysWanted: () => {},
    log: { error() {} },
    ...changes,
  };
}
