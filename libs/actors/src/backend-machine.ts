import type { AllocationRoom } from '@usher/domain';
import type { EventDraft } from '@usher/events';
import { setup } from 'xstate';

/**
 * The backend actor's machine: four regions in parallel. It understands two kinds of messages.
 *
 * - *Facts* ("three probes failed", "an operator wants it drained"): guarded by the present state. One that changes
 *   something moves the machine and emits the result event to write to the log.
 * - *Results* (`backend.became_unhealthy`, …): events of the log, the machine's own or another writer's. They set the
 *   state they name from any state, without guards, exactly as the fold does.
 *
 * There are no timers: that a deadline passed is a fact, told by the one service that owns deadlines.
 */
export type BackendFact =
  | { readonly type: 'drain.wanted'; readonly deadlineMs: number; readonly remove: boolean }
  | { readonly type: 'drain.ended'; readonly cause: 'empty' | 'deadline' }
  | { readonly type: 'disable.wanted' }
  | { readonly type: 'enable.wanted' }
  | { readonly type: 'probes.succeeded'; readonly cause: string }
  | { readonly type: 'probes.failed'; readonly cause: string }
  | { readonly type: 'quorum.tripped'; readonly untilMs: number; readonly votes: readonly string[] }
  | { readonly type: 'quorum.recovered' }
  | { readonly type: 'trial.due'; readonly untilMs: number }
  | { readonly type: 'trial.passed_on'; readonly untilMs: number; readonly round: number };

/**
 * Events of the log by the state they set. `health.reset` stands for a change of address or of probing, `room.set` for
 * an allocation that came or went: how much room is left is a sum, which the fold knows. What is reserved is decided by the
 * state store, in one step for all gateways, so no fact asks an actor for it.
 */
export type BackendResult =
  | { readonly type: 'backend.drain_started' | 'backend.drained' | 'backend.disabled' | 'backend.enabled' }
  | { readonly type: 'backend.became_healthy' | 'backend.became_unhealthy' }
  | { readonly type: 'health.reset'; readonly health: 'unchecked' | 'unknown' }
  | { readonly type: 'breaker.opened' | 'breaker.half_opened' | 'breaker.closed' }
  | { readonly type: 'room.set'; readonly room: AllocationRoom };

/** What a fact makes the machine emit. */
interface Emitted {
  readonly type: 'result';
  readonly draft: EventDraft;
}

const types = setup({
  types: {
    context: {} as { readonly id: string },
    input: {} as { readonly id: string },
    events: {} as BackendFact | BackendResult,
    emitted: {} as Emitted,
  },
});

type Make = (id: string, fact: BackendFact) => EventDraft['data'];

/** Emits the named result event about this backend. */
const result = (type: EventDraft['type'], data: Make = (backend) => ({ backend })) =>
  types.emit(({ context, event }) => ({
    type: 'result',
    draft: { type, subject: context.id, data: data(context.id, event as BackendFact) } as EventDraft,
  }));

const drainStarted = result('backend.drain_started', (backend, fact) => {
  if (fact.type !== 'drain.wanted') throw new Error(`a drain cannot start by ${fact.type}`);
  return { backend, deadlineMs: fact.deadlineMs, remove: fact.remove };
});
const drained = result('backend.drained', (backend, fact) => {
  if (fact.type !== 'drain.ended') throw new Error(`a drain cannot end by ${fact.type}`);
  return { backend, cause: fact.cause };
});
const becameHealthy = result('backend.became_healthy', (backend, fact) => ({
  backend,
  cause: causeOf(fact),
}));
const becameUnhealthy = result('backend.became_unhealthy', (backend, fact) => ({
  backend,
  cause: causeOf(fact),
}));
const opened = result('breaker.opened', (backend, fact) => {
  if (fact.type !== 'quorum.tripped') throw new Error(`a breaker cannot open by ${fact.type}`);
  return { backend, untilMs: fact.untilMs, votes: [...fact.votes] };
});

const halfOpened = result('breaker.half_opened', (backend, fact) => {
  if (fact.type === 'trial.due') return { backend, untilMs: fact.untilMs };
  if (fact.type !== 'trial.passed_on') throw new Error(`a breaker cannot half open by ${fact.type}`);
  return { backend, untilMs: fact.untilMs, round: fact.round };
});

function causeOf(fact: BackendFact): string {
  return 'cause' in fact ? fact.cause : '';
}

const drain = { target: 'draining', actions: drainStarted };
const disable = { target: 'disabled', actions: result('backend.disabled') };
const enable = { target: 'active', actions: result('backend.enabled') };

export const backendMachine = types.createMachine({
  id: 'backend',
  context: ({ input }) => ({ id: input.id }),
  type: 'parallel',
  states: {
    lifecycle: {
      initial: 'active',
      states: {
        active: { on: { 'drain.wanted': drain, 'disable.wanted': disable } },
        draining: {
          on: {
            'drain.wanted': drain,
            'drain.ended': { target: 'drained', actions: drained },
            'disable.wanted': disable,
            'enable.wanted': enable,
          },
        },
        drained: { on: { 'drain.wanted': drain, 'disable.wanted': disable, 'enable.wanted': enable } },
        disabled: { on: { 'drain.wanted': drain, 'enable.wanted': enable } },
      },
      on: {
        'backend.drain_started': '.draining',
        'backend.drained': '.drained',
        'backend.disabled': '.disabled',
        'backend.enabled': '.active',
      },
    },
    health: {
      initial: 'unknown',
      states: {
        // A pool without probes: whatever a late probe says is void.
        unchecked: {},
        unknown: {
          on: {
            'probes.succeeded': { target: 'healthy', actions: becameHealthy },
            'probes.failed': { target: 'unhealthy', actions: becameUnhealthy },
          },
        },
        healthy: { on: { 'probes.failed': { target: 'unhealthy', actions: becameUnhealthy } } },
        unhealthy: { on: { 'probes.succeeded': { target: 'healthy', actions: becameHealthy } } },
      },
      on: {
        'backend.became_healthy': '.healthy',
        'backend.became_unhealthy': '.unhealthy',
        'health.reset': [
          { guard: ({ event }) => event.health === 'unchecked', target: '.unchecked' },
          { target: '.unknown' },
        ],
      },
    },
    breaker: {
      initial: 'closed',
      states: {
        closed: { on: { 'quorum.tripped': { target: 'open', actions: opened } } },
        open: { on: { 'trial.due': { target: 'half_open', actions: halfOpened } } },
        half_open: {
          on: {
            'quorum.tripped': { target: 'open', actions: opened },
            'quorum.recovered': { target: 'closed', actions: result('breaker.closed') },
            'trial.passed_on': { actions: halfOpened },
          },
        },
      },
      on: {
        'breaker.opened': '.open',
        'breaker.half_opened': '.half_open',
        'breaker.closed': '.closed',
      },
    },
    allocation: {
      initial: 'free',
      states: {
        free: {},
        full: {},
      },
      on: {
        'room.set': [{ guard: ({ event }) => event.room === 'full', target: '.full' }, { target: '.free' }],
      },
    },
  },
});
