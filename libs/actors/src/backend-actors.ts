import type { BackendState } from '@usher/domain';
import type { EventDraft, UsherEvent } from '@usher/events';
import type { FleetView, Subscription } from '@usher/ports';
import { type Actor, createActor, transition } from 'xstate';
import { type BackendFact, type BackendResult, backendMachine } from './backend-machine.ts';

type BackendActor = Actor<typeof backendMachine>;

const RESULT_TYPES = new Set<string>([
  'backend.drain_started',
  'backend.drained',
  'backend.disabled',
  'backend.enabled',
  'backend.became_healthy',
  'backend.became_unhealthy',
  'breaker.opened',
  'breaker.half_opened',
  'breaker.closed',
]);

/**
 * One actor for each backend of the fleet, kept at the state of the log: only events that came back from the log move
 * an actor. `decide` asks what an actor makes of a fact; the caller appends the answer. So an append that fails leaves
 * nothing to undo.
 */
export class BackendActors {
  readonly #fleet: FleetView;
  readonly #actors = new Map<string, BackendActor>();
  readonly #subscription: Subscription;

  constructor(fleet: FleetView) {
    this.#fleet = fleet;
    for (const [id, backend] of fleet.state.backends) this.#start(id, backend);
    this.#subscription = fleet.onRecord(({ events }) => {
      for (const event of events) this.#follow(event);
    });
  }

  /** Result events that the backend's actor emits for a fact; empty when the fact changes nothing or nobody by that id exists. */
  decide(backend: string, fact: BackendFact): EventDraft[] {
    const actor = this.#actors.get(backend);
    if (actor === undefined) return [];
    const [, actions] = transition(backendMachine, actor.getSnapshot(), fact);
    const drafts: EventDraft[] = [];
    for (const action of actions) {
      // XState's types leave emitted events out of a transition's actions; they are among them all the same.
      const { type, params } = action as { type: string; params: unknown };
      if (type === 'xstate.emit') drafts.push((params as { event: { draft: EventDraft } }).event.draft);
    }
    return drafts;
  }

  /** States of a backend's four regions; undefined when there is no such backend. */
  regions(backend: string): BackendActorValue | undefined {
    return this.#actors.get(backend)?.getSnapshot().value;
  }

  stop(): void {
    this.#subscription.stop();
    for (const actor of this.#actors.values()) actor.stop();
    this.#actors.clear();
  }

  #start(id: string, backend: BackendState): void {
    const { lifecycle, health, breaker, room } = backend;
    const value = { lifecycle, health, breaker, allocation: room };
    const snapshot = backendMachine.resolveState({ value, context: { id } });
    this.#actors.get(id)?.stop();
    this.#actors.set(id, createActor(backendMachine, { input: { id }, snapshot }).start());
  }

  #follow(event: UsherEvent): void {
    if (event.type === 'backend.registered') {
      const backend = this.#fleet.state.backends.get(event.data.settings.id);
      if (backend !== undefined) this.#start(event.data.settings.id, backend);
      return;
    }
    if (event.type === 'backend.updated') {
      this.#setRoom(event.data.settings.id);
      if (event.data.health === undefined) return;
      this.#actors.get(event.data.settings.id)?.send({ type: 'health.reset', health: event.data.health });
      return;
    }
    if (event.type === 'gateway.stopped' || event.type === 'gateway.lost') {
      for (const id of this.#actors.keys()) this.#setRoom(id);
      return;
    }
    if (!('backend' in event.data)) return;
    const id = event.data.backend;
    const actor = this.#actors.get(id);
    if (actor === undefined) return;
    if (event.type === 'backend.removed') {
      actor.stop();
      this.#actors.delete(id);
    } else if (event.type.startsWith('allocation.')) {
      this.#setRoom(id);
    } else if (RESULT_TYPES.has(event.type)) {
      actor.send({ type: event.type } as BackendResult);
    }
  }

  #setRoom(id: string): void {
    const room = this.#fleet.state.backends.get(id)?.room ?? 'free';
    const actor = this.#actors.get(id);
    if (actor?.getSnapshot().value.allocation !== room) actor?.send({ type: 'room.set', room });
  }
}

/** State of each region of a backend actor. */
export type BackendActorValue = ReturnType<BackendActor['getSnapshot']>['value'];
