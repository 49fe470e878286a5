import { emptyFleet, newBackend } from '@usher/domain';
import { type EventDraft, envelop } from '@usher/events';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { transition } from 'xstate';
import { BackendActors } from './backend-actors.ts';
import { type BackendFact, backendMachine } from './backend-machine.ts';
import { FleetFold } from './fleet-fold.ts';
import { applyEvent } from './fold/apply-event.ts';

const resources = { milliCpu: 400, memoryBytes: 0, storageBytes: 0, gpus: 0, gpuMemoryBytes: 0 };
const settings = {
  id: 'b1',
  pool: 'web',
  url: 'http://127.0.0.1:1',
  weight: 1,
  capacity: { ...resources, milliCpu: 1000 },
};

const fact: fc.Arbitrary<BackendFact> = fc.oneof(
  fc.record({ type: fc.constant('drain.wanted' as const), deadlineMs: fc.nat(), remove: fc.boolean() }),
  fc.record({
    type: fc.constant('drain.ended' as const),
    cause: fc.constantFrom('empty' as const, 'deadline' as const),
  }),
  fc.constantFrom<BackendFact>({ type: 'disable.wanted' }, { type: 'enable.wanted' }),
  fc.constantFrom<BackendFact>(
    { type: 'probes.succeeded', cause: '200' },
    { type: 'probes.failed', cause: 'refused' },
  ),
  fc.record({
    type: fc.constant('quorum.tripped' as const),
    untilMs: fc.nat(),
    votes: fc.constant(['gw-1']),
  }),
  fc.constantFrom<BackendFact>({ type: 'quorum.recovered' }, { type: 'trial.due' }),
  fc.nat(6).map((n) => ({
    type: 'reservation.wanted' as const,
    allocation: { id: `a${n}`, owner: 'gw-1', resources, expiresAtMs: 10 },
  })),
  fc.nat(6).map((n) => ({ type: 'expiry.passed' as const, allocation: `a${n}` })),
);

let nextId = 0;
const envelopes = (drafts: readonly EventDraft[]) =>
  envelop(drafts, { source: 'usher/test/t', timeMs: 0, actor: 'test' }, () => `id-${nextId++}`);

const registered = (health: 'unknown' | 'unchecked'): EventDraft => ({
  type: 'backend.registered',
  subject: 'b1',
  data: { settings, origin: 'command', health },
});

const reserve = (allocation: string): EventDraft => ({
  type: 'allocation.reserved',
  subject: 'b1',
  data: { backend: 'b1', allocation, owner: 'gw-1', resources, expiresAtMs: 10 },
});

function regionsOf(fold: FleetFold) {
  const backend = fold.state.backends.get('b1');
  if (backend === undefined) return undefined;
  const { lifecycle, health, breaker, room } = backend;
  return { lifecycle, health, breaker, allocation: room };
}

test('folding the events that the machine emits gives the state the machine went to', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('unknown' as const, 'unchecked' as const),
      fc.array(fact, { maxLength: 40 }),
      (health, facts) => {
        const fold = new FleetFold();
        const actors = new BackendActors(fold);
        let position = 0;
        const append = (drafts: readonly EventDraft[]) => {
          position += 1;
          fold.apply({ position, subject: 's', events: envelopes(drafts), quarantined: [] });
        };
        append([registered(health)]);
        for (const one of facts) {
          const before = actors.regions('b1');
          if (before === undefined) throw new Error('the actor is missing');
          const present = backendMachine.resolveState({ value: before, context: { id: 'b1' } });
          const [next] = transition(backendMachine, present, one);
          const drafts = actors.decide('b1', one);
          if (drafts.length > 0) append(drafts);
          expect(actors.regions('b1')).toEqual(regionsOf(fold));
          // The room that is left is the fold's sum; the other three regions must be where the machine itself went.
          expect({ ...actors.regions('b1'), allocation: '' }).toEqual({ ...next.value, allocation: '' });
        }
        actors.stop();
      },
    ),
    { numRuns: 500 },
  );
});

test('a fact that the present state does not allow emits nothing', () => {
  const fold = new FleetFold();
  const actors = new BackendActors(fold);
  fold.apply({ position: 1, subject: 's', events: envelopes([registered('unchecked')]), quarantined: [] });
  expect(actors.decide('b1', { type: 'enable.wanted' })).toEqual([]);
  expect(actors.decide('b1', { type: 'probes.failed', cause: 'late' })).toEqual([]);
  expect(actors.decide('b1', { type: 'trial.due' })).toEqual([]);
  expect(actors.decide('nobody', { type: 'disable.wanted' })).toEqual([]);
});

test('deciding moves nothing until the event is in the log', () => {
  const fold = new FleetFold();
  const actors = new BackendActors(fold);
  fold.apply({ position: 1, subject: 's', events: envelopes([registered('unknown')]), quarantined: [] });
  const first = actors.decide('b1', { type: 'disable.wanted' });
  expect(actors.decide('b1', { type: 'disable.wanted' })).toEqual(first);
  expect(actors.regions('b1')?.lifecycle).toBe('active');
});

test('reservations fill a backend and give-backs make room again', () => {
  const state = emptyFleet();
  state.backends.set('b1', newBackend(settings, 'command', 'unchecked', 1));
  for (const event of envelopes([reserve('a'), reserve('b'), reserve('c'), reserve('c')]))
    applyEvent(state, event, 2);
  expect(state.backends.get('b1')?.room).toBe('full');
  const [released] = envelopes([
    { type: 'allocation.released', subject: 'b1', data: { backend: 'b1', allocation: 'c', cause: 'done' } },
  ]);
  if (released !== undefined) applyEvent(state, released, 3);
  expect(state.backends.get('b1')?.room).toBe('free');
});
