import { emptyFleet, type FleetState, newBackend, noneCleared } from '@usher/domain';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pool } from '../testing/fixtures.ts';
import { fleetTrials } from './fleet-trials.ts';

/** A fleet by when each of its gateways last reported traffic to the pool; 0 = it never did. */
function fleet(seen: Readonly<Record<string, number>>): FleetState {
  const state = emptyFleet();
  const gateway = { version: '0', startedAtMs: 0, running: true, requests: 0, errors: 0, suspect: null };
  for (const name of Object.keys(seen)) state.gateways.set(name, { ...gateway });
  const seenBy = new Map(Object.entries(seen).filter(([, atMs]) => atMs > 0));
  const rest = { panicBy: new Map(), seenBy, cleared: noneCleared(), revision: 1 };
  state.pools.set('web', { settings: pool(), origin: 'config', ...rest });
  return state;
}

/** The parts of all workers, gateway by gateway, in a round. */
function parts(state: FleetState, trials: number, workers: number, round: number): number[][] {
  const settings = { id: 'b1', pool: 'web', url: 'http://127.0.0.1:1', weight: 1 };
  const backend = { ...newBackend(settings, 'config', 'unchecked', 1), trialRound: round };
  return [...state.gateways.keys()].map((gateway) =>
    fleetTrials(state, backend, { gateway, workers, trials }),
  );
}

const rounds = (state: FleetState, trials: number, workers: number, count: number) =>
  Array.from({ length: count }, (_, round) => parts(state, trials, workers, round));

describe('trials of the fleet’s half-open breaker', () => {
  test('are of those with traffic first, one after the other, and then of another worker of theirs', () => {
    expect(rounds(fleet({ a: 0, b: 50_000, c: 45_000, d: 30_000 }), 1, 2, 5)).toEqual([
      [
        [0, 0],
        [1, 0],
        [0, 0],
        [0, 0],
      ],
      [
        [0, 0],
        [0, 0],
        [1, 0],
        [0, 0],
      ],
      [
        [0, 0],
        [0, 1],
        [0, 0],
        [0, 0],
      ],
      [
        [0, 0],
        [0, 0],
        [0, 1],
        [0, 0],
      ],
      [
        [0, 0],
        [1, 0],
        [0, 0],
        [0, 0],
      ],
    ]);
  });

  test('are of everybody in turn while nobody has reported traffic', () => {
    expect(rounds(fleet({ b: 0, a: 0 }), 1, 1, 3)).toEqual([
      [[0], [1]],
      [[1], [0]],
      [[0], [1]],
    ]);
  });

  test('are not of gateways that are gone', () => {
    const state = fleet({ a: 50_000, b: 50_000 });
    state.gateways.get('a')!.running = false;
    expect(rounds(state, 1, 1, 2)).toEqual([
      [[0], [1]],
      [[0], [1]],
    ]);
  });
});

test('there are never more of them than allowed, and every worker with traffic has its turn', () => {
  const seen = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.nat(60_000), { minKeys: 1 });
  fc.assert(
    fc.property(
      seen,
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 4 }),
      (view, trials, workers) => {
        const state = fleet(view);
        const newest = Math.max(...Object.values(view));
        const had = new Set<string>();
        for (const round of rounds(state, trials, workers, 5 * 4)) {
          expect(round.flat().reduce((sum, each) => sum + each, 0)).toBe(trials);
          for (const [gateway, shares] of [...state.gateways.keys()].map(
            (name, at) => [name, round[at]!] as const,
          ))
            for (const [worker, share] of shares.entries()) if (share > 0) had.add(`${gateway}${worker}`);
        }
        for (const [gateway, atMs] of Object.entries(view))
          if (newest - atMs <= 10_000)
            for (let worker = 0; worker < workers; worker++) expect(had).toContain(`${gateway}${worker}`);
      },
    ),
    { numRuns: 200 },
  );
});
