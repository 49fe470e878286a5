import { breakerHalfOpen, type Uniform } from '@usher/domain';
import type { BackendRow, BackendSlot, PoolTable } from '../routing-table.ts';
import { Hosts } from './addresses.ts';
import { newSlot, updateSlot } from './backend-slot.ts';
import { sameEndpoints } from './endpoints.ts';
import { Observers } from './observation.ts';

interface Member {
  readonly row: BackendRow;
  readonly pool: PoolTable;
  readonly slot: BackendSlot;
}

/** The backends of a worker's table. What changes a pool adds it to `touched`. */
export class Members {
  readonly observers = new Observers();
  readonly #members = new Map<string, Member>();
  readonly #hosts = new Hosts();
  readonly #random: Uniform;
  readonly #worker: number;
  #nextIndex = 0;

  constructor(random: Uniform, worker: number) {
    this.#random = random;
    this.#worker = worker;
  }

  get(id: string): Member | undefined {
    return this.#members.get(id);
  }

  all(): Iterable<Member> {
    return this.#members.values();
  }

  /** Takes up a row for a backend in `pool`: a new slot where it is new or has moved, otherwise the one that it has. */
  set(row: BackendRow, pool: PoolTable, nowMs: number, touched: Set<PoolTable>): BackendSlot {
    const member = this.#members.get(row.id);
    touched.add(pool);
    if (member !== undefined && member.row.pool === row.pool && sameEndpoints(member.row, row)) {
      updateSlot(member.slot, row, this.#worker, nowMs);
      this.#members.set(row.id, { ...member, row });
      return member.slot;
    }
    this.remove(row.id, touched);
    const phase = this.#random.next();
    const slot = newSlot(row, this.#nextIndex++, pool, this.#hosts, phase, this.#worker);
    this.observers.add(slot);
    if (row.halfOpen) breakerHalfOpen(slot.breaker, nowMs);
    pool.slots.push(slot);
    this.#members.set(row.id, { row, pool, slot });
    return slot;
  }

  remove(id: string, touched: Set<PoolTable>): void {
    const member = this.#members.get(id);
    if (member === undefined) return;
    this.#members.delete(id);
    this.observers.leave(member.slot);
    // Nobody tells anything of it from now on.
    member.slot.base = 0;
    member.pool.slots.splice(member.pool.slots.indexOf(member.slot), 1);
    touched.add(member.pool);
  }

  removeAllOf(pool: string, touched: Set<PoolTable>): void {
    for (const { row } of this.#members.values()) if (row.pool === pool) this.remove(row.id, touched);
  }

  /** Takes up where the pool's guarded backends may be now. */
  recheck(pool: PoolTable): void {
    this.#hosts.recheck(pool);
  }

  setAddresses(host: string, ips: readonly string[], touched: Set<PoolTable>): void {
    const addresses = this.#hosts.set(host, ips);
    for (const { pool, slot } of this.#members.values()) {
      if (slot.endpoints.some((endpoint) => addresses.has(endpoint.addresses))) touched.add(pool);
    }
  }
}
