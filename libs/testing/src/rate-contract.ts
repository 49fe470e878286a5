import { describe, expect, test } from 'vitest';
import type { StateStoreSubject } from './state-store-contract.ts';

const PASSES_MAX = 1_000;
/** So slow that nothing comes back while a test runs. */
const slow = { id: 'slow', intervalMs: 3_600_000, burst: 10 };

/** What every driver must do with rate limits. */
export function testRates(subject: () => StateStoreSubject): void {
  const rates = () => subject().store.rates;

  describe('rate limits', () => {
    test('a bucket that nobody has taken from is full, and gives no more than there is', async () => {
      expect(await rates().take(slow, 4)).toMatchObject({ taken: 4, left: 6, nextMs: 0 });
      expect(await rates().take(slow, 100)).toMatchObject({ taken: 6, left: 0 });
      const { taken, nextMs } = await rates().take(slow, 1);
      expect(taken).toBe(0);
      expect(nextMs).toBeGreaterThan(3_500_000);
      expect(nextMs).toBeLessThanOrEqual(3_600_000);
    });

    test('of many who ask at once nobody gets what another one has', async () => {
      const asked = Array.from({ length: 50 }, () => rates().take(slow, 1));
      const got = await Promise.all(asked);
      expect(got.reduce((sum, { taken }) => sum + taken, 0)).toBe(10);
    });

    test('what is given back can be taken again, and a bucket is never more than full', async () => {
      await rates().take(slow, 10);
      await rates().give(slow, 3);
      expect((await rates().take(slow, 10)).taken).toBe(3);
      await rates().give(slow, 1_000);
      expect((await rates().take(slow, 1_000)).taken).toBe(10);
      await rates().give({ ...slow, id: 'never taken' }, 5);
      expect((await rates().take({ ...slow, id: 'never taken' }, 1_000)).taken).toBe(10);
    });

    test('buckets have nothing to do with each other', async () => {
      await rates().take(slow, 10);
      expect((await rates().take({ ...slow, id: 'other' }, 1)).taken).toBe(1);
      expect((await rates().take({ ...slow, id: 'slow ' }, 1)).taken).toBe(1);
    });

    test('requests come back one by one, at the time that was told', async () => {
      const quick = { id: 'quick', intervalMs: 30, burst: 2 };
      await rates().take(quick, 2);
      let last = await rates().take(quick, 1);
      expect(last.taken).toBe(0);
      for (let passes = 0; passes < PASSES_MAX && last.taken === 0; passes++) {
        await subject().pass();
        last = await rates().take(quick, 2);
      }
      expect(last.taken).toBeGreaterThanOrEqual(1);
    });
  });
}
