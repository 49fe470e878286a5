import { hashOf, mix } from './hash.ts';
import type { Owner } from './lookup-table.ts';

/** A power of two. With a hundred backends each owns about 655 places, give or take 26. */
const PLACES = 2 ** 16;
/** Beyond the time after which all places have most likely been visited, in units of its own. */
const MARGIN = 3;
const SECOND_SEED = 0x9e3779b9;

/**
 * Every backend visits places in an order of its own, in steps as long as its weight is small, and a place belongs to
 * whoever came first. So the chance to own a place is in proportion to weight, and as nobody's visits depend on the others,
 * a backend that comes takes only what it owns from then on, one that goes leaves only what it owned, and a weight that
 * changes moves only as many keys as it has to. It takes time in proportion to the number of places, however many backends.
 */
export function dealByRendezvous(owners: readonly Owner[]): Int32Array {
  const table = new Int32Array(PLACES);
  const since = new Float64Array(PLACES).fill(Number.POSITIVE_INFINITY);
  const visitors = owners.map((owner) => new Visitor(owner));
  const total = owners.reduce((sum, { fullWeight }) => sum + fullWeight, 0);
  const step = PLACES / total;
  let free = PLACES;
  for (let until = step * (Math.log(PLACES) + MARGIN); free > 0; until += step * MARGIN) {
    for (const [index, visitor] of visitors.entries()) free -= visitor.visit(until, index, table, since);
  }
  return table;
}

class Visitor {
  readonly #start: number;
  readonly #stride: number;
  readonly #rest: number;
  #visits = 0;
  #time: number;

  constructor({ id, fullWeight }: Owner) {
    this.#start = hashOf(id);
    this.#stride = hashOf(id, 0, id.length, SECOND_SEED) | 1;
    this.#rest = 1 / fullWeight;
    this.#time = (mix(this.#start ^ this.#stride) / 2 ** 32) * this.#rest;
  }

  /** Goes on to the given time. Answers with how many places it found free. */
  visit(until: number, index: number, table: Int32Array, since: Float64Array): number {
    const start = this.#start;
    const stride = this.#stride;
    const rest = this.#rest;
    let visits = this.#visits;
    let time = this.#time;
    let found = 0;
    for (; time < until; time += rest, visits++) {
      const place = mix((start + Math.imul(visits, stride)) | 0) & (PLACES - 1);
      const before = since[place]!;
      if (time >= before) continue;
      if (before === Number.POSITIVE_INFINITY) found++;
      table[place] = index;
      since[place] = time;
    }
    this.#visits = visits;
    this.#time = time;
    return found;
  }
}
