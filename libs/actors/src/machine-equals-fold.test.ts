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
  fc.constantFrom<BackendFact>(
    { type: 'quorum.recovered' },
    { type: 'trial.due', untilMs: 5 },
    { type: 'trial.passed_on', untilMs: 6, round: 1 },
  ),
);

let nextId = 0;
const envelopes = (drafts: readonly EventDraft[]) =>
  envelop(drafts, { source: 'usher/test/t', timeMs: 0, actor: 'test' }, () => `id-${nextId++}`);

const registered = (health: 'unknown' | 'unchecked'): EventDraft => ({
  type: 'backend.registered',
  subject: 'b1',
  data: { settings, origin: 'command', health },
});

const reserve = (allocation: string, changes: object = {}): EventDraft => ({
  type: 'allocation.reserved',
  subject: 'b1',
  data: { backend: 'b1', allocation, owner: 'gw-1', resources, expiresAtMs: 10, ...changes },
});
const release = (allocation: string): EventDraft => ({
  type: 'allocation.released',
  subject: 'b1',
  data: { backend: 'b1', allocation, cause: 'done' },
});
/** What gateways tell, beside what actors decide. */
const told: fc.Arbitrary<EventDraft> = fc.oneof(
  fc.nat(6).map((n) => reserve(`a${n}`, { owner: `gw-${n % 2}` })),
  fc.nat(6).map((n) => release(`a${n}`)),
  fc.nat(1).map((n) => ({
    type: 'gateway.lost' as const,
    subject: 'g',
    data: { gateway: `gw-${n}`, cause: '' },
  })),
  fc.nat(2000).map((milliCpu) => ({
    type: 'backend.updated' as const,
    subject: 'b1',
    data: { settings: { ...settings, capacity: { ...resources, milliCpu } } },
  })),
);

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
      fc.array(
        fc.oneof(
          fact.map((one) => ({ fact: one })),
          told.map((draft) => ({ draft })),
        ),
        { maxLength: 40 },
      ),
      (health, steps) => {
        const fold = new FleetFold();
        const actors = new BackendActors(fold);
        let position = 0;
        const append = (drafts: readonly EventDraft[]) => {
          position += 1;
          fold.apply({ position, subject: 's', events: envelopes(drafts), quarantined: [] });
        };
        append([registered(health)]);
        for (const step of steps) {
          if ('draft' in step) {
            append([step.draft]);
            expect(actors.regions('b1')).toEqual(regionsOf(fold));
            continue;
          }
          const one = step.fact;
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
  expect(actors.decide('b1', { type: 'trial.due', untilMs: 1 })).toEqual([]);
  expect(actors.decide('b1', { type: 'trial.passed_on', untilMs: 1, round: 1 })).toEqual([]);
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

/** A backend with room for two and a half allocations, after these events. */
function backendAfter(...drafts: readonly EventDraft[]) {
  const state = emptyFleet();
  const backend = newBackend(settings, 'command', 'unchecked', 1);
  state.backends.set('b1', backend);
  for (const event of envelopes(drafts)) applyEvent(state, event, 2);
  return { room: backend.room, milliCpu: backend.reserved.milliCpu, held: [...backend.allocations.keys()] };
}
const at = (step: number) => ({ at: { pool: 'web', run: 1, step } });

test('reservations fill a backend and give-backs make room again', () => {
  const three = [reserve('a'), reserve('b'), reserve('c'), reserve('c')];
  expect(backendAfter(...three)).toEqual({ room: 'full', milliCpu: 1200, held: ['a', 'b', 'c'] });
  expect(backendAfter(...three, release('c'), release('c'))).toMatchObject({ room: 'free', milliCpu: 800 });
});

test('what a gateway held is free when the gateway is gone', () => {
  const lost: EventDraft = {
    type: 'gateway.lost',
    subject: 'gw-1',
    data: { gateway: 'gw-1', cause: 'silent' },
  };
  const held = [reserve('a'), reserve('b', { owner: 'gw-2' }), reserve('c')];
  expect(backendAfter(...held, lost)).toEqual({ room: 'free', milliCpu: 400, held: ['b'] });
});

test('an allocation is the gateway’s that has it last in the store, whoever tells first', () => {
  const lost: EventDraft = {
    type: 'gateway.lost',
    subject: 'gw-1',
    data: { gateway: 'gw-1', cause: 'silent' },
  };
  const moved = [reserve('a', { owner: 'gw-2', ...at(2) }), reserve('a', at(1))];
  expect(backendAfter(...moved, lost)).toMatchObject({ held: ['a'] });
  expect(backendAfter(...moved.toReversed(), lost)).toMatchObject({ held: ['a'] });
});
