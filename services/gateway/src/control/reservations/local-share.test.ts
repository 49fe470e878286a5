import { DIMENSIONS, NO_RESOURCES, plusResources, type Resources, type Tier } from '@usher/domain';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LocalShare, shareOf } from './local-share.ts';

const cores = (count: number): Resources => ({ ...NO_RESOURCES, milliCpu: 1000 * count });
const tier = (resources: Resources): Tier => ({ name: 't', resources });
const CORE = [tier(cores(1))];
const GATEWAYS = ['gw-1', 'gw-2', 'gw-3', 'gw-4'];
const sharesOf = (free: Resources, gateways: readonly string[], tiers: readonly Tier[]) =>
  gateways.map((me) => shareOf(free, { gateways, me }, tiers));

describe('the share of a gateway in what is free', () => {
  test('is everything when there is no other one', () => {
    expect(shareOf(cores(7), { gateways: ['gw-1'], me: 'gw-1' }, CORE)).toEqual(cores(7));
    expect(shareOf(cores(7), { gateways: [], me: 'gw-1' }, CORE)).toEqual(cores(7));
  });

  test('is whole units of what tiers ask for, and the first by name get what does not divide', () => {
    expect(sharesOf(cores(7.5), GATEWAYS, CORE)).toEqual([cores(2), cores(2), cores(2), cores(1)]);
    expect(sharesOf(cores(7.5), GATEWAYS.toReversed(), CORE)).toEqual([
      cores(1),
      cores(2),
      cores(2),
      cores(2),
    ]);
  });

  test('is nothing where nothing is free, or more is taken than there is', () => {
    expect(sharesOf(cores(-3), GATEWAYS, CORE)).toEqual(GATEWAYS.map(() => NO_RESOURCES));
  });

  test('is never more than what is free for all together, whatever there is and whoever asks for what', () => {
    const amount = fc.nat(1_000_000);
    const resources = fc.record({
      milliCpu: amount,
      memoryBytes: fc.maxSafeNat(),
      storageBytes: amount,
      gpus: fc.nat(9),
      gpuMemoryBytes: amount,
    });
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}$/), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(
        resources,
        names,
        fc.array(resources.map(tier), { maxLength: 3 }),
        (free, gateways, tiers) => {
          let sum = NO_RESOURCES;
          for (const share of sharesOf(free, gateways, tiers)) sum = plusResources(sum, share, 1);
          for (const dimension of DIMENSIONS) {
            expect(sum[dimension]).toBeLessThanOrEqual(free[dimension]);
            expect(Number.isSafeInteger(sum[dimension])).toBe(true);
          }
        },
      ),
    );
  });
});

describe('what a gateway reserves by itself', () => {
  const seen = { capacity: cores(8), declared: cores(8), mine: NO_RESOURCES, others: NO_RESOURCES };
  const two = { gateways: ['gw-1', 'gw-2'], me: 'gw-1' };
  /** How many cores it gets when it asks for one after the other. */
  const takes = (share: LocalShare, start: typeof seen, sharers = two) => {
    let mine = start.mine;
    while (share.lacking('b', { ...start, mine }, CORE[0]!, sharers, CORE) === undefined)
      mine = plusResources(mine, cores(1), 1);
    return mine.milliCpu / 1000;
  };

  test('ends at its share on top of what it had, however often it asks', () => {
    expect(takes(new LocalShare(), seen)).toBe(4);
    expect(takes(new LocalShare(), { ...seen, mine: cores(2), others: cores(2) })).toBe(4);
    expect(takes(new LocalShare(), seen, { gateways: ['gw-1'], me: 'gw-1' })).toBe(8);
  });

  test('does not grow by what the others give back, and never goes beyond what they have', () => {
    const share = new LocalShare();
    expect(takes(share, { ...seen, others: cores(4) })).toBe(2);
    expect(takes(share, { ...seen, mine: cores(2) })).toBe(2);
    expect(takes(share, { ...seen, others: cores(7) })).toBe(1);
  });

  test('is settled by what was held when the store went away', () => {
    const share = new LocalShare();
    share.begin(() => new Map([['b', { mine: cores(1), others: cores(1) }]]));
    share.begin(() => new Map());
    expect(takes(share, { ...seen, mine: cores(1), others: cores(4) })).toBe(4);
    share.end();
    expect(takes(share, { ...seen, mine: cores(1), others: cores(4) })).toBe(3);
  });

  test('is settled anew when a gateway comes or goes, or the backend is declared to have more', () => {
    const share = new LocalShare();
    expect(takes(share, seen)).toBe(4);
    expect(takes(share, { ...seen, mine: cores(4), others: cores(2) }, { ...two, gateways: ['gw-1'] })).toBe(
      6,
    );
    const larger = { ...seen, capacity: cores(16), declared: cores(16) };
    expect(takes(share, { ...larger, mine: cores(6), others: cores(2) })).toBe(10);
    share.end();
    expect(takes(share, seen)).toBe(4);
  });
});
