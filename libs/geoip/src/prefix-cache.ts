import { type AddressBits, isMapped } from './address-bits.ts';

/** An address can lie in this many places, so that a few busy networks do not push each other out. */
const WAYS = 4;
const WORDS = 4;
const SETS_BITS = 12;
const NOWHERE = -1;

/** Networks that the cache holds at most. */
export const CACHED_NETWORKS_MAX = WAYS * 2 ** SETS_BITS;

/**
 * Remembers a value for networks of any size, at most CACHED_NETWORKS_MAX of them, in memory of a fixed size. Addresses of one
 * /24 (of IPv6 one /48) share their places, of which the oldest entry makes room for a new one. Finding allocates nothing.
 */
export class PrefixCache<V> {
  /** The first address of each entry's network. */
  readonly #networks = new Uint32Array(CACHED_NETWORKS_MAX * WORDS);
  /** Length of the prefix plus 1; 0 = empty. */
  readonly #lengths = new Uint8Array(CACHED_NETWORKS_MAX);
  readonly #values: V[] = [];
  /** Which place of each set the next entry gets. */
  readonly #next = new Uint8Array(2 ** SETS_BITS);
  readonly #none: V;

  /** `none` stands in the places of networks without a value. */
  constructor(none: V) {
    this.#none = none;
    // Of one kind and full from the start: an array with holes is slower.
    for (let entry = 0; entry < CACHED_NETWORKS_MAX; entry++) this.#values.push(none);
  }

  /** Place of the entry that covers an address, for `at`; negative when there is none. */
  find(address: AddressBits): number {
    const first = setOf(address) * WAYS;
    for (let entry = first; entry < first + WAYS; entry++) {
      const length = this.#lengths[entry]!;
      if (length > 0 && this.#covers(entry, length - 1, address)) return entry;
    }
    return NOWHERE;
  }

  at(entry: number): V {
    return this.#values[entry] ?? this.#none;
  }

  /** Remembers `value` for the network of `address` with a prefix of this length, as IPv6 counts it. */
  set(address: AddressBits, prefixLength: number, value: V): void {
    const set = setOf(address);
    const way = this.#next[set]!;
    this.#next[set] = (way + 1) % WAYS;
    const entry = set * WAYS + way;
    for (let word = 0; word < WORDS; word++)
      this.#networks[entry * WORDS + word] = address[word]! & maskOf(word, prefixLength);
    this.#lengths[entry] = prefixLength + 1;
    this.#values[entry] = value;
  }

  clear(): void {
    this.#lengths.fill(0);
    this.#values.fill(this.#none);
  }

  #covers(entry: number, prefixLength: number, address: AddressBits): boolean {
    for (let word = 0; word < WORDS; word++) {
      const difference = this.#networks[entry * WORDS + word]! ^ address[word]!;
      if ((difference & maskOf(word, prefixLength)) !== 0) return false;
    }
    return true;
  }
}

/** The bits of a word of the address that belong to the prefix. */
function maskOf(word: number, prefixLength: number): number {
  const bits = prefixLength - 32 * word;
  if (bits >= 32) return -1;
  return bits <= 0 ? 0 : -1 << (32 - bits);
}

function setOf(address: AddressBits): number {
  const key = isMapped(address) ? address[3]! >>> 8 : address[0]! ^ Math.imul(address[1]! >>> 16, 0x85ebca6b);
  return Math.imul(key, 0x9e3779b1) >>> (32 - SETS_BITS);
}
