import { randomFillSync } from 'node:crypto';
import type { Random } from '@usher/ports';

/** How many random bytes are fetched at a time: one system call serves hundreds of ids. */
const POOL_BYTES = 4096;
/** Bytes of chance in one id: the start of its counter and the 62 bits after the variant. */
const ID_BYTES = 10;
const COUNTER_MAX = 0xfff;

/** Chance from the operating system: a small fast generator seeded once, and ids that only ever grow. */
export function systemRandom(now: () => number = Date.now): Random {
  return { next: createUniform(), uuid: createUuid(now) };
}

/** The generator sfc32: 128 bits of state, passes the usual test suites, a few nanoseconds a draw. */
function createUniform(): () => number {
  const state = randomFillSync(new Uint32Array(4));
  const draw = () => {
    const a = state[0]!;
    const b = state[1]!;
    const c = state[2]!;
    const sum = (a + b + state[3]!) >>> 0;
    state[0] = b ^ (b >>> 9);
    state[1] = c + (c << 3);
    state[2] = ((c << 21) | (c >>> 11)) + sum;
    state[3] = state[3]! + 1;
    return sum;
  };
  // 53 bits, all that a double between 0 and 1 can tell apart.
  return () => ((draw() >>> 5) * 2 ** 26 + (draw() >>> 6)) / 2 ** 53;
}

/**
 * UUIDv7 with a counter in `rand_a` (RFC 9562 section 6.2, method 1). Node's own `randomUUIDv7` gives ids of one
 * millisecond in no order, and a log is easier to read when its ids grow with its positions.
 */
function createUuid(now: () => number): () => string {
  const pool = Buffer.alloc(POOL_BYTES);
  let used = POOL_BYTES;
  let lastMs = 0;
  let counter = 0;
  return () => {
    if (used + ID_BYTES > POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    const ms = now();
    if (ms > lastMs) {
      lastMs = ms;
      // Starts in the lower half, which leaves room to count up.
      counter = pool.readUInt16BE(used) & (COUNTER_MAX >> 1);
    } else if (counter === COUNTER_MAX) {
      // The counter is spent, or the clock stepped back: borrow the next millisecond.
      lastMs += 1;
      counter = 0;
    } else {
      counter += 1;
    }
    const time = lastMs.toString(16).padStart(12, '0');
    const variant = (0x8000 | (pool.readUInt16BE(used + 2) & 0x3fff)).toString(16);
    const tail = pool.toString('hex', used + 4, used + ID_BYTES);
    used += ID_BYTES;
    return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}-${variant}-${tail}`;
  };
}
