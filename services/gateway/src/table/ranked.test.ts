import { NO_FEATURES } from '@usher/domain';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BackendSlot } from '../routing-table.ts';
import { row } from '../testing/fixtures.ts';
import { TestTable } from '../testing/table.ts';
import { ranked } from './ranked.ts';

const ASK = { ...NO_FEATURES, random: { next: () => 0 } };

const busy = ({ inFlight, weight }: BackendSlot) => inFlight / weight;

test('behind the choice of the strategy come the least busy of all, equals in their order', () => {
  const slots = fc.array(fc.record({ inFlight: fc.nat({ max: 5 }), weight: fc.constantFrom(1, 2, 4) }), {
    minLength: 1,
    maxLength: 200,
  });
  fc.assert(
    fc.property(slots, fc.nat(), fc.array(fc.nat(), { maxLength: 80 }), (loads, choice, left) => {
      const { pool } = new TestTable(loads.map(({ weight }, at) => row(`b${at}`, { weight })));
      for (const [at, { inFlight }] of loads.entries()) pool.slots[at]!.inFlight = inFlight;
      const without = left.map((at) => pool.slots[at % loads.length]!);
      const rest = pool.slots.filter((slot) => !without.includes(slot));
      const chosen = rest[choice % Math.max(1, rest.length)];
      const expected = rest.filter((slot) => slot !== chosen).toSorted((a, b) => busy(a) - busy(b));
      const all = chosen === undefined ? [] : [chosen, ...expected].slice(0, 64);
      expect(ranked(pool, without, ASK, () => chosen).map(({ id }) => id)).toEqual(all.map(({ id }) => id));
    }),
    { numRuns: 200 },
  );
});
