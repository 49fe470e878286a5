import { SimulatedClock } from '@usher/testing';
import { expect, test } from 'vitest';
import { EmbeddedRates } from './embedded-rates.ts';

const bucket = (id: string) => ({ id, intervalMs: 1_000, burst: 100 });

test('a flood of new buckets makes none full that was emptied', async () => {
  const rates = new EmbeddedRates(new SimulatedClock(), 100);
  for (const heavy of ['a', 'b', 'c']) await rates.take(bucket(heavy), 100);
  for (let id = 0; id < 100_000; id++) await rates.take(bucket(`flood-${id}`), 1);
  for (const heavy of ['a', 'b', 'c']) expect((await rates.take(bucket(heavy), 1)).taken).toBe(0);
});
