import { DIMENSIONS, NO_RESOURCES, type Resources } from '@usher/domain';
import type { EventOf, UsherEvent } from '@usher/events';
import { type Change, RunAudit, type Violation } from './run-audit.ts';

/** More violations are counted and not told. */
const TOLD_MAX = 1_000;

interface PoolReservationAudit {
  readonly pool: string;
  /** How often the store began with nothing. */
  readonly runs: number;
  /** Changes that were told. */
  readonly steps: number;
  /** Changes that the log lacks: those of gateways that died before they could tell. */
  readonly missing: number;
  readonly violations: number;
}

export interface ReservationReport {
  readonly pools: readonly PoolReservationAudit[];
  /** Reservations that were made while the store was away, and are in no order with others. */
  readonly withoutStore: number;
  readonly violations: readonly Violation[];
  /** No change is missing and nothing is violated: no capacity was ever exceeded. */
  readonly proven: boolean;
}

interface Pool {
  readonly runs: Map<number, RunAudit>;
  violations: number;
}

type AllocationEvent =
  | EventOf<'allocation.reserved'>
  | EventOf<'allocation.released'>
  | EventOf<'allocation.expired'>;

/**
 * Checks by the events alone that reservations never exceeded what backends have. Gateways tell what they did when they can,
 * so events of several stand in the log in another order than the one in which the store decided; each has the store's
 * step, by which they are put in order again.
 */
export class ReservationAudit {
  readonly #pools = new Map<string, Pool>();
  /** The most that each backend was ever declared to have; undefined where that was left open. */
  readonly #declared = new Map<string, Resources | undefined>();
  readonly #violations: Violation[] = [];
  #withoutStore = 0;

  apply(event: UsherEvent, position: number): void {
    if (event.type === 'backend.registered' || event.type === 'backend.updated') {
      const { id, capacity } = event.data.settings;
      this.#declared.set(id, this.#mostOf(id, capacity));
    } else if (event.type.startsWith('allocation.')) this.#take(event as AllocationEvent, position);
  }

  /** To be asked once, after the last event. */
  report(): ReservationReport {
    const pools = Array.from(this.#pools, ([pool, counted]) => {
      let [steps, missing] = [0, 0];
      for (const run of counted.runs.values()) {
        run.finish();
        steps += run.told;
        missing += run.missing;
      }
      return { pool, runs: counted.runs.size, steps, missing, violations: counted.violations };
    });
    const proven = pools.every(({ missing, violations }) => missing + violations === 0);
    return { pools, withoutStore: this.#withoutStore, violations: this.#violations, proven };
  }

  #take(event: AllocationEvent, position: number): void {
    const { data } = event;
    const { at, backend, allocation } = data;
    if (at === undefined) {
      if (event.type === 'allocation.reserved') this.#withoutStore += 1;
      return;
    }
    const run = this.#runOf(at.pool, at.run);
    const common = { step: at.step, backend, allocation, position };
    if (event.type !== 'allocation.reserved') {
      run.take({ ...common, kind: 'ended', resources: NO_RESOURCES, capacity: undefined, restored: false });
      return;
    }
    const { resources, capacity, restored = false } = event.data;
    const change: Change = { ...common, kind: 'held', resources, capacity, restored };
    this.#checkCapacity(run, change);
    run.take(change);
  }

  /** A gateway knows a backend from the log alone, so what it went by is in the log before. */
  #checkCapacity(run: RunAudit, change: Change): void {
    const declared = this.#declared.get(change.backend);
    if (change.capacity === undefined || declared === undefined) return;
    for (const dimension of DIMENSIONS) {
      const capacity = change.capacity[dimension];
      if (capacity <= declared[dimension]) continue;
      run.report('overstated', change, { dimension, reserved: capacity, capacity: declared[dimension] });
      return;
    }
  }

  #mostOf(backend: string, capacity: Resources | undefined): Resources | undefined {
    if (!this.#declared.has(backend)) return capacity;
    const before = this.#declared.get(backend);
    if (before === undefined || capacity === undefined) return undefined;
    const most = { ...before };
    for (const dimension of DIMENSIONS) most[dimension] = Math.max(before[dimension], capacity[dimension]);
    return most;
  }

  #runOf(id: string, began: number): RunAudit {
    let pool = this.#pools.get(id);
    if (pool === undefined) this.#pools.set(id, (pool = { runs: new Map(), violations: 0 }));
    const known = pool.runs.get(began);
    if (known !== undefined) return known;
    const counted = pool;
    const run = new RunAudit(began, (violation) => {
      counted.violations += 1;
      if (this.#violations.length < TOLD_MAX) this.#violations.push(violation);
    });
    pool.runs.set(began, run);
    return run;
  }
}

/** Audits these events, in the order of the log. */
export function auditReservations(events: Iterable<UsherEvent>): ReservationReport {
  const audit = new ReservationAudit();
  let position = 0;
  for (const event of events) audit.apply(event, ++position);
  return audit.report();
}
