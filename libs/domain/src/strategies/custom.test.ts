import { expect, test } from 'vitest';
import { Custom, type CustomStrategy } from './custom.ts';
import { type CandidatePool, NO_FEATURES, setCandidates } from './strategy.ts';
import { type TestBackend, uniform, weights } from './testing/pools.ts';

function pickWith(choose: CustomStrategy, tried: (all: readonly TestBackend[]) => TestBackend[] = () => []) {
  const faults: string[] = [];
  const chooser = new Custom<TestBackend>(choose, (cause) => faults.push(cause));
  const pool: CandidatePool<TestBackend> = {
    members: [],
    eligible: [],
    totalWeight: 0,
    inFlight: 0,
    chooser,
  };
  const backends = weights(1, 1, 1);
  setCandidates(pool, backends, backends);
  const choice = chooser.pick(pool, tried(backends), { ...NO_FEATURES, key: 4, random: uniform() });
  return { choice: choice?.id, faults };
}

const byKey: CustomStrategy = (backends, { key }) => backends[key % backends.length];

test('a strategy of one’s own gets the backends that are left and the hash of the key', () => {
  expect(pickWith(byKey)).toEqual({ choice: 'b', faults: [] });
  expect(pickWith(byKey, ([a]) => [a!])).toEqual({ choice: 'b', faults: [] });
  expect(pickWith(byKey, (all) => [...all])).toEqual({ choice: undefined, faults: [] });
});

test('one that changes the list of backends fails, and they stay in their order', () => {
  const changing = pickWith((backends) => (backends as Parameters<CustomStrategy>[0][number][]).pop());
  expect(changing.choice).toMatch(/[abc]/);
  expect(changing.faults).toEqual([expect.stringContaining('TypeError')]);
});

test('another one chooses when it throws or names somebody else, and the fault is told', () => {
  const thrown = pickWith(() => {
    throw new Error('no idea');
  });
  expect(thrown).toEqual({ choice: expect.stringMatching(/[abc]/), faults: ['Error: no idea'] });
  const wrong = pickWith(() => ({ id: 'a', weight: 1, inFlight: 0, latencyMs: 0 }));
  expect(wrong.choice).toMatch(/[abc]/);
  expect(wrong.faults).toEqual(['it chose none of the backends that it was given']);
});
