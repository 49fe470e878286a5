import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newBackend } from './backend.ts';
import { emptyFleet, type FleetState } from './fleet.ts';
import { ballotOn, hasQuorum, standingsOf } from './fleet-votes.ts';

const NOW = 100_000;
const IDS = ['a', 'b', 'c', 'd', 'e'];

/** A fleet by what each gateway says of each backend: `x` tripped, `.` gets on well, `-` was not there lately. */
function fleet(views: Readonly<Record<string, string>>): FleetState {
  const state = emptyFleet();
  for (const gateway of Object.keys(views)) {
    state.gateways.set(gateway, {
      version: '0',
      startedAtMs: 0,
      running: true,
      requests: 0,
      errors: 0,
      suspect: null,
    });
  }
  for (const [index, id] of IDS.entries()) {
    const settings = { id, pool: 'web', url: 'http://127.0.0.1:1', weight: 1 };
    const backend = newBackend(settings, 'config', 'unchecked', 1);
    for (const [gateway, view] of Object.entries(views)) {
      if (view[index] !== '-') backend.seenBy.set(gateway, NOW - 1_000);
      if (view[index] === 'x') backend.trippedBy.set(gateway, NOW + 1_000);
    }
    state.backends.set(id, backend);
  }
  return state;
}

function decided(state: FleetState) {
  const standings = standingsOf(state, NOW);
  const open = [...state.backends.values()]
    .filter((backend) => hasQuorum(ballotOn(state, backend, standings, NOW)))
    .map(({ settings }) => settings.id)
    .join('');
  return { open, trust: [...standings.values()].map(({ trust }) => trust) };
}

describe('the fleet’s breakers', () => {
  test('open by most of those that saw traffic lately', () => {
    expect(decided(fleet({ g1: 'x....', g2: 'x....', g3: '.....' })).open).toBe('a');
    expect(decided(fleet({ g1: 'x....', g2: '.....' })).open).toBe('');
    expect(decided(fleet({ g1: 'x....', g2: '-....' })).open).toBe('a');
  });

  test('stay closed for a gateway that fails where the others do not, which is a suspect', () => {
    expect(decided(fleet({ g1: 'xxxxx', g2: '.....', g3: '.....' }))).toEqual({
      open: '',
      trust: ['suspect', 'trusted', 'trusted'],
    });
    expect(decided(fleet({ g1: 'xxxx.', g2: '.....' })).trust).toEqual(['suspect', 'trusted']);
  });

  test('do not hear a gateway that is alone with failures everywhere, whom nobody can contradict', () => {
    expect(decided(fleet({ g1: 'xxx--', g2: '-----' }))).toEqual({ open: '', trust: ['failing', 'trusted'] });
  });

  test('open when most of the backends fail for all gateways, of which none is a suspect', () => {
    expect(decided(fleet({ g1: 'xxxx.', g2: 'xxxx.' }))).toEqual({
      open: 'abcd',
      trust: ['trusted', 'trusted'],
    });
  });

  test('go by the only gateway there is', () => {
    expect(decided(fleet({ g1: 'xxxxx' }))).toEqual({ open: 'abcde', trust: ['trusted'] });
  });
});

test('a ballot names who was counted and who was not, and why', () => {
  const state = fleet({ g1: 'xxxxx', g2: '.....', g3: 'x....', g4: '-....' });
  const ballot = ballotOn(state, state.backends.get('a')!, standingsOf(state, NOW), NOW);
  expect(ballot).toEqual({
    for: ['g3'],
    against: ['g2'],
    uncounted: [
      { gateway: 'g1', why: 'suspect' },
      { gateway: 'g4', why: 'silent' },
    ],
  });
});

test('one gateway whose way out is broken opens no breaker by itself, in whatever order it notices', () => {
  // The others fail against two backends each at the most, which makes none of them a suspect.
  const view = fc
    .shuffledSubarray(IDS, { maxLength: 2 })
    .map((failing) => IDS.map((id) => (failing.includes(id) ? 'x' : '.')).join(''));
  const others = fc.array(view, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(others, fc.shuffledSubarray([0, 1, 2, 3, 4]), (views, order) => {
      const rest = Object.fromEntries(views.map((each, index) => [`g${index + 2}`, each]));
      let broken = '.....';
      for (const next of order) {
        broken = `${broken.slice(0, next)}x${broken.slice(next + 1)}`;
        for (const id of decided(fleet({ g1: broken, ...rest })).open)
          expect(views.some((each) => each[IDS.indexOf(id)] === 'x')).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});
