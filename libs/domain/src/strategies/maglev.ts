import { hashOf } from './hash.ts';
import { LookupTable, type Owner } from './lookup-table.ts';
import type { Strategy } from './strategy.ts';

/** A prime, so that every skip visits all places. */
const PLACES = 65_537;
const SKIP_SEED = 0x9e3779b9;

/**
 * Maglev's table (Eisenbud and others, 2016): the backends take turns, by weight, at claiming the next free place in an
 * order of their own. Shares are exact but for one place. The price is that a backend that comes or goes also moves a few
 * keys among the others; one that is merely down does not, see `LookupTable`.
 */
function deal(owners: readonly Owner[]): Int32Array {
  const table = new Int32Array(PLACES).fill(-1);
  const heaviest = owners.reduce((most, { fullWeight }) => Math.max(most, fullWeight), 0);
  // Who comes first has a small advantage, so gateways have to agree on the order.
  const claims = owners
    .map(({ id, fullWeight }, index) => ({
      index,
      id,
      perRound: fullWeight / heaviest,
      credit: 0,
      place: hashOf(id) % PLACES,
      skip: (hashOf(id, 0, id.length, SKIP_SEED) % (PLACES - 1)) + 1,
    }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  for (let free = PLACES; free > 0; ) {
    for (const claim of claims) {
      claim.credit += claim.perRound;
      if (claim.credit < 1 || free === 0) continue;
      claim.credit -= 1;
      while (table[claim.place] !== -1) claim.place = (claim.place + claim.skip) % PLACES;
      table[claim.place] = claim.index;
      free -= 1;
    }
  }
  return table;
}

/** The same key to the same backend, with the most even shares of all strategies that hash. */
export const maglev: Strategy = {
  needsKey: true,
  needsAnswers: false,
  needsLoad: false,
  create: () => new LookupTable(deal),
};
