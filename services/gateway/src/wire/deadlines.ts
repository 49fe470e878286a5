/** Something that ends by itself when a time has come. */
export interface Expirable {
  expire(nowMs: number): void;
}

/**
 * When one connection should be looked at. Moving it costs a store, because the wheel notices a later time only when it
 * gets to the earlier one: so a connection may arm it per request.
 */
export class Deadline {
  /** Infinity = never. */
  dueMs = Infinity;
  /** When the wheel looks at it next; Infinity = it is not in the wheel. At most `dueMs`. */
  checkAtMs = Infinity;
  /** Place in its bucket. */
  position = 0;
  readonly owner: Expirable;

  constructor(owner: Expirable) {
    this.owner = owner;
  }
}

/** How late a deadline may be noticed. */
export const TICK_MS = 50;
const BUCKETS = 1024;
const HORIZON_MS = (BUCKETS - 1) * TICK_MS;

/** All deadlines of one worker behind a single timer: no connection ever has a timer of its own. */
export class DeadlineWheel {
  private readonly buckets: Deadline[][] = Array.from({ length: BUCKETS }, () => []);
  private tick: number;
  /** Those whose time to be looked at has come; from `next` on they have not been looked at yet. */
  private looked: Deadline[] = [];
  private next = 0;

  constructor(nowMs: number) {
    this.tick = Math.floor(nowMs / TICK_MS);
  }

  arm(deadline: Deadline, dueMs: number): void {
    deadline.dueMs = dueMs;
    if (deadline.checkAtMs > dueMs) this.schedule(deadline);
  }

  /** Takes it out of the wheel, which otherwise would keep its owner alive. */
  remove(deadline: Deadline): void {
    deadline.dueMs = Infinity;
    if (deadline.checkAtMs === Infinity) return;
    const bucket = this.bucketAt(deadline.checkAtMs);
    const last = bucket.pop();
    if (last !== undefined && last !== deadline) {
      bucket[deadline.position] = last;
      last.position = deadline.position;
    }
    deadline.checkAtMs = Infinity;
  }

  /**
   * Expires one of those that are due; true when there may be more. To end a connection takes a tenth of a millisecond, and
   * connections that came together end together: all in one go they would keep everybody else waiting. To be called every
   * `TICK_MS`, and soon again as long as there may be more.
   */
  advance(nowMs: number): boolean {
    const until = Math.floor(nowMs / TICK_MS);
    // After a long pause of the process each bucket still has to be visited only once.
    if (until - this.tick > BUCKETS) this.tick = until - BUCKETS;
    while (this.tick < until) {
      this.tick++;
      for (const deadline of this.bucketAt(this.tick * TICK_MS).splice(0)) {
        deadline.checkAtMs = Infinity;
        this.looked.push(deadline);
      }
    }
    return this.expireOne(nowMs);
  }

  /** The clock was set by so much: puts all deadlines off, or forward, by that, so that each ends as long after now as it would have. */
  shift(byMs: number): void {
    const waiting = [...this.looked.slice(this.next), ...this.buckets.flatMap((bucket) => bucket.splice(0))];
    this.looked = [];
    this.next = 0;
    this.tick += Math.round(byMs / TICK_MS);
    for (const deadline of waiting) {
      const { dueMs } = deadline;
      deadline.checkAtMs = Infinity;
      if (dueMs !== Infinity) this.arm(deadline, dueMs + byMs);
    }
  }

  private expireOne(nowMs: number): boolean {
    const { looked } = this;
    while (this.next < looked.length) {
      const deadline = looked[this.next++]!;
      if (deadline.dueMs <= nowMs) {
        deadline.dueMs = Infinity;
        deadline.owner.expire(nowMs);
        return true;
      }
      if (deadline.dueMs !== Infinity && deadline.checkAtMs === Infinity) this.schedule(deadline);
    }
    looked.length = 0;
    this.next = 0;
    return false;
  }

  private schedule(deadline: Deadline): void {
    const { dueMs } = deadline;
    this.remove(deadline);
    deadline.dueMs = dueMs;
    const earliest = (this.tick + 1) * TICK_MS;
    const latest = this.tick * TICK_MS + HORIZON_MS;
    deadline.checkAtMs = Math.min(Math.max(Math.ceil(dueMs / TICK_MS) * TICK_MS, earliest), latest);
    const bucket = this.bucketAt(deadline.checkAtMs);
    deadline.position = bucket.length;
    bucket.push(deadline);
  }

  private bucketAt(timeMs: number): Deadline[] {
    return this.buckets[(timeMs / TICK_MS) % BUCKETS]!;
  }
}
