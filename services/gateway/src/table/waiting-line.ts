import type { Features } from '@usher/domain';
import type { BackendSlot } from '../routing-table.ts';
import type { Line, LineCounts, LineExit, Place, Waiter } from '../waiting.ts';
import { bucketOf, LATENCY_BOUNDS_S } from '../wire/counters.ts';

/** Cells: the bell, the last ticket, then for each worker the ticket of its first waiter (0 = none) and how many wait. */
const BELL = 0;
const LAST_TICKET = 1;
const FIRST_WORKER = 2;
const CELLS_PER_WORKER = 2;

/** What the workers of a gateway share to have one order among all that wait for a pool. */
export function newLineCells(workers: number): SharedArrayBuffer {
  return new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT * (FIRST_WORKER + CELLS_PER_WORKER * workers));
}

/** Takes out those who waited in a worker that is no more. The others notice at their next look. */
export function forgetWaitersOf(worker: number, shared: SharedArrayBuffer): void {
  const cells = new BigInt64Array(shared);
  Atomics.store(cells, firstOf(worker), 0n);
  Atomics.store(cells, countOf(worker), 0n);
}

const firstOf = (worker: number): number => FIRST_WORKER + CELLS_PER_WORKER * worker;
const countOf = (worker: number): number => firstOf(worker) + 1;

class PlaceInLine implements Place {
  readonly waiter: Waiter;
  readonly ticket: bigint;
  before: PlaceInLine | undefined;
  after: PlaceInLine | undefined;
  taken = true;

  constructor(waiter: Waiter, ticket: bigint, before: PlaceInLine | undefined) {
    this.waiter = waiter;
    this.ticket = ticket;
    this.before = before;
  }
}

/** What a line asks of its pool. */
export interface LineHost {
  /** Begins a request on a backend that has room; undefined when none has. */
  admit(features: Features): BackendSlot | undefined;
  hasRoom(): boolean;
  /** There is a backend for which waiting makes sense. */
  hasBackends(): boolean;
}

/**
 * One worker's part of those who wait until a backend of a pool has room. Tickets are drawn from memory that all workers
 * share, so the longest waiter of the whole gateway is next, in whichever worker it waits. A worker that has nobody who
 * is next rings a bell for the others when it leaves room.
 */
export class WaitingLine implements Line {
  readonly shared: SharedArrayBuffer;
  readonly #cells: BigInt64Array;
  readonly #worker: number;
  readonly #workers: number;
  readonly #host: LineHost;
  #first: PlaceInLine | undefined;
  #last: PlaceInLine | undefined;
  #serving = false;
  #listening = false;
  #length = 0;
  readonly #exits: Record<LineExit, number> = { served: 0, timeout: 0, left: 0, refused: 0, no_backend: 0 };
  readonly #waits = new Float64Array(LATENCY_BOUNDS_S.length + 1);
  #waitSumMs = 0;

  constructor(shared: SharedArrayBuffer, worker: number, host: LineHost) {
    this.shared = shared;
    this.#cells = new BigInt64Array(shared);
    this.#worker = worker;
    this.#workers = (this.#cells.length - FIRST_WORKER) / CELLS_PER_WORKER;
    this.#host = host;
  }

  get busy(): boolean {
    for (let worker = 0; worker < this.#workers; worker++) {
      if (Atomics.load(this.#cells, firstOf(worker)) !== 0n) return true;
    }
    return false;
  }

  get counts(): LineCounts {
    return {
      waiting: this.#length,
      exits: { ...this.#exits },
      waits: [...this.#waits],
      waitSumMs: this.#waitSumMs,
    };
  }

  enter(waiter: Waiter, max: number): Place | undefined {
    // Counted before it is looked whether there is room, so that two workers cannot both take the last place.
    Atomics.add(this.#cells, countOf(this.#worker), 1n);
    if (this.#waiting() > BigInt(max)) {
      Atomics.sub(this.#cells, countOf(this.#worker), 1n);
      this.#exits.refused += 1;
      return undefined;
    }
    const ticket = Atomics.add(this.#cells, LAST_TICKET, 1n) + 1n;
    const place = new PlaceInLine(waiter, ticket, this.#last);
    if (this.#last === undefined) this.#first = place;
    else this.#last.after = place;
    this.#last = place;
    this.#length += 1;
    this.#publish();
    if (this.#workers > 1) void this.#listen();
    return place;
  }

  taken(max: number): number {
    return max === 0 ? 0 : Number(this.#waiting()) / max;
  }

  hasPlace(max: number): boolean {
    return this.#waiting() < BigInt(max);
  }

  leave(place: Place, exit: LineExit): void {
    if (!(place instanceof PlaceInLine) || !place.taken) return;
    this.#exits[exit] += 1;
    this.#remove(place);
    this.serve();
  }

  waited(ms: number): void {
    this.#waits[bucketOf(ms)]! += 1;
    this.#waitSumMs += ms;
  }

  serve(): void {
    this.#serve(true);
  }

  /** `ring`: there may be room that was not there before, so the others have to know even if nobody here took any. */
  #serve(ring: boolean): void {
    if (this.#serving) return;
    this.#serving = true;
    const served = this.#serveOwn();
    this.#serving = false;
    if (this.#workers > 1 && (ring || served) && this.busy && this.#host.hasRoom()) this.#ring();
  }

  #serveOwn(): boolean {
    let served = false;
    for (let first = this.#first; first !== undefined; first = this.#first) {
      if (!this.#host.hasBackends()) {
        this.#exits.no_backend += 1;
        this.#remove(first);
        first.waiter.turnedAway();
        continue;
      }
      const slot = this.#isNext(first.ticket) ? this.#host.admit(first.waiter.features) : undefined;
      if (slot === undefined) break;
      this.#exits.served += 1;
      this.#remove(first);
      first.waiter.admitted(slot);
      served = true;
    }
    return served;
  }

  /**
   * Looks whenever another worker rings, as long as somebody waits here. Who hears the bell and is not next does not
   * ring it again, or the others would wake each other without end until the one who is next has time.
   */
  async #listen(): Promise<void> {
    if (this.#listening) return;
    this.#listening = true;
    let heard = Atomics.load(this.#cells, BELL);
    while (this.#first !== undefined) {
      await Atomics.waitAsync(this.#cells, BELL, heard).value;
      heard = Atomics.load(this.#cells, BELL);
      this.#serve(false);
    }
    this.#listening = false;
  }

  #ring(): void {
    Atomics.add(this.#cells, BELL, 1n);
    Atomics.notify(this.#cells, BELL);
  }

  /** In all workers. */
  #waiting(): bigint {
    let waiting = 0n;
    for (let worker = 0; worker < this.#workers; worker++) {
      waiting += Atomics.load(this.#cells, countOf(worker));
    }
    return waiting;
  }

  #isNext(ticket: bigint): boolean {
    for (let worker = 0; worker < this.#workers; worker++) {
      const first = Atomics.load(this.#cells, firstOf(worker));
      if (first !== 0n && first < ticket) return false;
    }
    return true;
  }

  #remove(place: PlaceInLine): void {
    place.taken = false;
    if (place.before === undefined) this.#first = place.after;
    else place.before.after = place.after;
    if (place.after === undefined) this.#last = place.before;
    else place.after.before = place.before;
    this.#length -= 1;
    Atomics.sub(this.#cells, countOf(this.#worker), 1n);
    this.#publish();
  }

  #publish(): void {
    Atomics.store(this.#cells, firstOf(this.#worker), this.#first?.ticket ?? 0n);
  }
}
