import { hashOf } from '@usher/domain';
import type { RateRule } from './rate-rule.ts';

/** Clients that can be told apart at a time, and how many of them share a place. The memory is taken as it is used. */
export const RATE_CELLS = 2 ** 19;
const WAYS = 8;
const SETS_MASK = RATE_CELLS / WAYS - 1;

/** Words before the cells: gateways that run, whether the store is away, and what makes hashes differ from others'. */
const GATEWAYS = 0;
const AWAY = 1;
const SEED = 2;
const HEADER_BYTES = 16;

const FULL_BYTES = BigInt64Array.BYTES_PER_ELEMENT * RATE_CELLS;
const WORDS_BYTES = Int32Array.BYTES_PER_ELEMENT * RATE_CELLS;
export const RATE_BYTES = HEADER_BYTES + FULL_BYTES + 3 * WORDS_BYTES;

/** No client has it: a cell that is being taken over has, so that nobody takes it for his. */
const NOBODY = 1;

/** Instants count from here, so that nanoseconds are nearly exact in a number. */
const EPOCH_MS = Date.UTC(2026, 0, 1);
const NS_PER_MS = 1e6;
/** Instants of the fleet's cells are in such ticks of 32 bits, which come round after half a year. */
const TICK_MS = 4;
const AHEAD_MAX_TICKS = 2 ** 26;

/**
 * What is in the future by more than it ever can be and this was written before the clock was set back; less may be because the clocks
 * of workers differ. It counts no more.
 */
const SET_BACK_MIN_MS = 2_000;

/** In the word of what a gateway has in hand: the store had no more. */
const EMPTY = 1 << 30;
const IN_HAND_MASK = EMPTY - 1;
/** How long who has asked ahead does not ask again. */
const ASK_AGAIN_MS = 100;

/** What is to be done with a request. `ask`: nobody here knows. `allowed_ask`: and more should be asked for. */
export type CellVerdict = 'allowed' | 'allowed_ask' | 'limited' | 'ask';

/** A bucket as it counts here. */
export interface Rate {
  readonly intervalNs: number;
  readonly burstNs: number;
}

/**
 * What a gateway knows of the clients that it holds to rate limits, in memory that its workers share, so that all of them
 * count together, exactly and without a lock. A client is known by two hashes. As many cells as there are is as many clients as
 * can be told apart at a time; a client that is new takes the cell, of the few where it belongs, of whom the limit
 * concerns least: one whose bucket is full loses nothing by that, and after those goes the one of whose bucket the smallest
 * part is used. So however many new clients come, they take the cells of each other, and not those of clients that ask for much.
 */
export class RateCells {
  readonly shared: SharedArrayBuffer;
  readonly #header: Int32Array;
  /** Of clients counted here: when their bucket is full, in nanoseconds. */
  readonly #full: BigInt64Array;
  /** The same memory for clients whom the fleet counts: what is in hand, and until when nobody asks for more. */
  readonly #words: Int32Array;
  readonly #marks: Int32Array;
  readonly #rules: Int32Array;
  /** What is left of a client's bucket, as the store said last. */
  readonly #left: Int32Array;
  readonly #rates = new Map<number, RateRule>();
  #seed: number;
  /** Of the last verdict: whole requests that are left, and how long until the bucket is full or, if limited, until the next. */
  left = 0;
  afterMs = 0;

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(RATE_BYTES)) {
    this.shared = shared;
    this.#header = new Int32Array(shared, 0, HEADER_BYTES / Int32Array.BYTES_PER_ELEMENT);
    this.#full = new BigInt64Array(shared, HEADER_BYTES, RATE_CELLS);
    this.#words = new Int32Array(shared, HEADER_BYTES, 2 * RATE_CELLS);
    const after = HEADER_BYTES + FULL_BYTES;
    this.#marks = new Int32Array(shared, after, RATE_CELLS);
    this.#rules = new Int32Array(shared, after + WORDS_BYTES, RATE_CELLS);
    this.#left = new Int32Array(shared, after + 2 * WORDS_BYTES, RATE_CELLS);
    this.#seed = this.#header[SEED]!;
  }

  /** To be called before anything else is, by who made the memory. Who can guess the seed can choose who shares a cell. */
  seed(seed: number): void {
    this.#seed = seed;
    this.#header[SEED] = seed;
  }

  /** What rules there are; the cells of others are the first to go. */
  setRules(rules: Iterable<RateRule>): void {
    this.#rates.clear();
    for (const rule of rules) for (const id of [rule.id, rule.aloneId]) this.#rates.set(id, rule);
  }

  get gateways(): number {
    return Math.max(1, Atomics.load(this.#header, GATEWAYS));
  }

  set gateways(count: number) {
    Atomics.store(this.#header, GATEWAYS, count);
  }

  /** The store does not answer. */
  get away(): boolean {
    return Atomics.load(this.#header, AWAY) !== 0;
  }

  set away(away: boolean) {
    Atomics.store(this.#header, AWAY, away ? 1 : 0);
  }

  /** Counts one request of a client that only this gateway counts. */
  takeAlone(id: number, key: string, { intervalNs, burstNs }: Rate, nowMs: number): CellVerdict {
    const nowNs = (nowMs - EPOCH_MS) * NS_PER_MS;
    const cell = this.#enter(id, key, nowNs, false);
    for (;;) {
      const before = Atomics.load(this.#full, cell);
      const misplaced = Number(before) - nowNs > 2 * burstNs + SET_BACK_MIN_MS * NS_PER_MS;
      const fullNs = (misplaced ? nowNs : Math.max(Number(before), nowNs)) + intervalNs;
      if (fullNs - nowNs > burstNs + 1) {
        this.left = 0;
        this.afterMs = (fullNs - nowNs - burstNs) / NS_PER_MS;
        return 'limited';
      }
      if (Atomics.compareExchange(this.#full, cell, before, BigInt(Math.round(fullNs))) !== before) continue;
      this.left = Math.floor((burstNs - (fullNs - nowNs)) / intervalNs + 1e-6);
      this.afterMs = (fullNs - nowNs) / NS_PER_MS;
      return 'allowed';
    }
  }

  /** Counts one request of a client whom the fleet counts, out of what this gateway has in hand for it. `kept`: what it should have. */
  takeInHand({ id, settings }: RateRule, key: string, kept: number, nowMs: number): CellVerdict {
    const intervalMs = settings.perMs / settings.requests;
    const cell = this.#enter(id, key, (nowMs - EPOCH_MS) * NS_PER_MS, true);
    const words = this.#words;
    const at = 2 * cell;
    for (;;) {
      const word = Atomics.load(words, at);
      const inHand = word & IN_HAND_MASK;
      const until = Atomics.load(words, at + 1);
      const aheadMs = ticksAhead(until, nowMs) * TICK_MS;
      const waitMs = aheadMs > 2 * intervalMs + SET_BACK_MIN_MS ? 0 : aheadMs;
      if (inHand === 0) {
        this.left = 0;
        this.afterMs = waitMs;
        return (word & EMPTY) !== 0 && waitMs > 0 ? 'limited' : 'ask';
      }
      if (Atomics.compareExchange(words, at, word, word - 1) !== word) continue;
      this.left = inHand - 1 + this.#left[cell]!;
      this.afterMs = Math.max(0, settings.burst - this.left) * intervalMs;
      if (inHand - 1 > kept / 2 || waitMs > 0) return 'allowed';
      const asked = Atomics.compareExchange(words, at + 1, until, ticksOf(nowMs + ASK_AGAIN_MS));
      return asked === until ? 'allowed_ask' : 'allowed';
    }
  }

  /**
   * What the store said of a client: `taken` more in hand, `left` there; for `pauseMs` there is nothing more to be had, 0 = there is.
   * False when nobody here knows the client any more.
   */
  putInHand(id: number, key: string, taken: number, left: number, pauseMs: number, nowMs: number): boolean {
    const cell = this.#find(id, key);
    if (cell < 0) return false;
    const at = 2 * cell;
    this.#left[cell] = left;
    Atomics.store(this.#words, at + 1, ticksOf(nowMs + pauseMs));
    for (;;) {
      const word = Atomics.load(this.#words, at);
      const next = Math.min((word & IN_HAND_MASK) + taken, IN_HAND_MASK) | (pauseMs > 0 ? EMPTY : 0);
      if (Atomics.compareExchange(this.#words, at, word, next) === word) return true;
    }
  }

  /** What is in hand for a client; 0 for one that nobody here knows. */
  inHand(id: number, key: string): number {
    const cell = this.#find(id, key);
    return cell < 0 ? 0 : Atomics.load(this.#words, 2 * cell) & IN_HAND_MASK;
  }

  /** Takes away what is in hand for a client, and answers with how much that was. */
  takeBack(id: number, key: string): number {
    const cell = this.#find(id, key);
    return cell < 0 ? 0 : Atomics.and(this.#words, 2 * cell, ~IN_HAND_MASK) & IN_HAND_MASK;
  }

  #find(id: number, key: string): number {
    const hash = hashOf(key, 0, key.length, this.#seed ^ id);
    const mark = this.#markOf(id, key);
    const first = (hash & SETS_MASK) * WAYS;
    for (let cell = first; cell < first + WAYS; cell++)
      if (Atomics.load(this.#marks, cell) === mark && this.#rules[cell] === id) return cell;
    return -1;
  }

  /** The cell of a client, which it gets if it has none. */
  #enter(id: number, key: string, nowNs: number, fleet: boolean): number {
    const hash = hashOf(key, 0, key.length, this.#seed ^ id);
    const mark = this.#markOf(id, key);
    const first = (hash & SETS_MASK) * WAYS;
    for (let cell = first; cell < first + WAYS; cell++)
      if (Atomics.load(this.#marks, cell) === mark && this.#rules[cell] === id) return cell;
    const cell = this.#leastConcerned(first, nowNs);
    // Two who do this at once make the client two cells, or one that both have begun: it has one request more, once.
    Atomics.store(this.#marks, cell, NOBODY);
    this.#rules[cell] = id;
    this.#left[cell] = 0;
    if (fleet) {
      Atomics.store(this.#words, 2 * cell, 0);
      Atomics.store(this.#words, 2 * cell + 1, ticksOf(EPOCH_MS + nowNs / NS_PER_MS));
    } else {
      Atomics.store(this.#full, cell, BigInt(Math.floor(nowNs)));
    }
    Atomics.store(this.#marks, cell, mark);
    return cell;
  }

  #markOf(id: number, key: string): number {
    const mark = hashOf(key, 0, key.length, ~this.#seed ^ Math.imul(id, 0x9e3779b1)) | 0;
    return mark === 0 || mark === NOBODY ? 2 : mark;
  }

  #leastConcerned(first: number, nowNs: number): number {
    let least = first;
    let leastUsed = Infinity;
    for (let cell = first; cell < first + WAYS && leastUsed > 0; cell++) {
      const used = this.#marks[cell] === 0 ? 0 : this.#usedOf(cell, nowNs);
      if (used >= leastUsed) continue;
      least = cell;
      leastUsed = used;
    }
    return least;
  }

  /** Which part of a client's bucket is used; 0 where it is full, or nobody's. What the fleet counts is not lost here. */
  #usedOf(cell: number, nowNs: number): number {
    const id = this.#rules[cell]!;
    const rule = this.#rates.get(id);
    if (rule === undefined) return 0;
    if (id === rule.id && rule.settings.scope === 'fleet') {
      const nowMs = EPOCH_MS + nowNs / NS_PER_MS;
      const recent = ticksAhead(Atomics.load(this.#words, 2 * cell + 1), nowMs - MS_RECENT) > 0;
      return recent ? 1 / rule.settings.burst : 0;
    }
    const aheadNs = Number(Atomics.load(this.#full, cell)) - nowNs;
    return Math.max(0, aheadNs / rule.burstNs);
  }
}

/** So long after it was last asked about, a client whom the fleet counts is somebody. */
const MS_RECENT = 10_000;

function ticksOf(ms: number): number {
  return Math.ceil((ms - EPOCH_MS) / TICK_MS) | 0;
}

/** How far an instant is in the future; 0 for the past. */
function ticksAhead(ticks: number, nowMs: number): number {
  const ahead = (ticks - Math.floor((nowMs - EPOCH_MS) / TICK_MS)) | 0;
  return ahead > 0 && ahead < AHEAD_MAX_TICKS ? ahead : 0;
}
