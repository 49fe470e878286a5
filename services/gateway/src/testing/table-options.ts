import { FastRandom } from '@usher/domain';
import { ReservationDesk } from '../table/reservation-desk.ts';
import type { WorkerTableOptions } from '../table/worker-table.ts';
import { policy } from './fixtures.ts';

/** For a table whose reservations nobody answers, with the chance `draw`. */
export function tableOptions(draw: number, changes: Partial<WorkerTableOptions> = {}): WorkerTableOptions {
  return {
    policy: policy(),
    random: new FastRandom({ next: () => draw }),
    now: Date.now,
    desk: new ReservationDesk(() => {}),
    worker: 0,
    onBreaker: () => {},
    log: { error() {} },
    ...changes,
  };
}
