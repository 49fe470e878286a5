import type { Random } from '@usher/ports';

/** First value of the ids' time field; far from any real time's, so that a simulated id is recognised. */
const FIRST_TIME_FIELD = 0x0100_0000_0000;

/** Chance that repeats: equal seeds give equal sequences. Its ids have the form of UUIDv7 and increase. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  let issued = 0;

  /** The mulberry32 generator. */
  const word = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };

  return {
    next: () => word() / 2 ** 32,
    uuid() {
      const time = hex(FIRST_TIME_FIELD + issued++, 12);
      const variant = hex(0x8000 | (word() & 0x3fff), 4);
      const version = hex(0x7000 | (word() & 0x0fff), 4);
      const tail = hex(word() & 0xffff, 4) + hex(word(), 8);
      return `${time.slice(0, 8)}-${time.slice(8)}-${version}-${variant}-${tail}`;
    },
  };
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
