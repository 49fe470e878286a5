import type { FleetFold } from '@usher/actors';
import type { FleetState } from '@usher/domain';
import type { UsherEvent } from '@usher/events';
import type { EventLog, FleetView, LogRecord, RecordDraft, Reservations, StateStore } from '@usher/ports';
import type { Invariant } from '../checks/findings.ts';
import type { FromWorker } from '../../services/gateway/src/worker/protocol.ts';
import { LogDisk } from '../parts/log-disk.ts';
import type { Tampering } from './tampering.ts';

/** A fault of the product, planted in the place of the right part, and what must find it. */
export interface Mutation {
  readonly name: string;
  /** Any of these finds it, whichever comes first. */
  readonly foundBy: readonly Invariant[];
  readonly plant: () => Tampering;
}

const COMMANDS = 'no acknowledged command is lost or applied twice';
const PROJECTIONS = 'all projections are equal after quiet';

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'the log acknowledges before its disk has it',
    foundBy: [COMMANDS, PROJECTIONS, 'nothing fails inside'],
    plant: () => ({ disk: () => new HastyDisk() }),
  },
  {
    name: 'the log forgets which ids it has',
    foundBy: ['facts are counted once', COMMANDS, 'capacity is never exceeded'],
    plant: () => ({ disk: () => new ForgetfulDisk() }),
  },
  {
    name: 'the log does not check what a writer expects',
    foundBy: ['at most one leader acts'],
    plant: () => ({ events: (events) => appending(events, ({ subject, events }) => ({ subject, events })) }),
  },
  {
    name: 'a reader misses a record now and then',
    foundBy: [PROJECTIONS, 'nothing fails inside'],
    plant: () => ({ fold: (fold, record) => void (record.position % 17 === 0 || fold.apply(record)) }),
  },
  {
    name: 'a fold goes by its own mood',
    foundBy: [PROJECTIONS],
    plant: () => ({ fold: (fold, record, process) => applyMoodily(fold, record, process) }),
  },
  {
    name: 'all folds keep what the log does not say',
    foundBy: ['a replay gives the live digest'],
    plant: () => ({ fold: (fold, record) => applyAndInvent(fold, record) }),
  },
  {
    name: 'a gateway does not hear of healthy backends',
    foundBy: [PROJECTIONS],
    plant: () => ({
      fleet: (fleet, service) => (service === 'gateway' ? deafTo(fleet, 'backend.became_healthy') : fleet),
    }),
  },
  {
    name: 'the scheduler takes those that tripped for all that vote',
    foundBy: ['the fleet breaker opens by a quorum'],
    plant: () => ({ fleet: (fleet, service) => (service === 'scheduler' ? onlyTripped(fleet) : fleet) }),
  },
  {
    name: 'the scheduler takes no word for an empty backend',
    foundBy: ['a drain ends empty or at its deadline'],
    plant: () => ({ fleet: (fleet, service) => (service === 'scheduler' ? allEmptied(fleet) : fleet) }),
  },
  {
    name: 'the scheduler forgets what it accepted',
    foundBy: [COMMANDS],
    plant: () => ({ fleet: (fleet, service) => (service === 'scheduler' ? withoutReceipts(fleet) : fleet) }),
  },
  {
    name: 'a scheduler invents the next term',
    foundBy: ['at most one leader acts'],
    plant: () => ({ events: (events) => appending(events, skipTerms) }),
  },
  {
    name: 'the store forgets to count',
    foundBy: ['capacity is never exceeded'],
    plant: () => ({ store: (store) => reserving(store, boundless) }),
  },
  {
    name: 'the store opens before all have told',
    foundBy: ['capacity is never exceeded'],
    plant: () => ({ store: (store) => reserving(store, hasty) }),
  },
  {
    name: 'the store keeps what is given back',
    foundBy: ['what was reserved is given back', 'capacity is never exceeded'],
    plant: () => ({ store: (store) => reserving(store, keeping) }),
  },
  {
    name: 'workers give nothing back',
    foundBy: ['what was reserved is given back'],
    plant: () => ({ worker: (message) => (message.kind === 'give_back' ? undefined : message) }),
  },
  {
    name: 'the outbox sends facts twice',
    foundBy: ['facts are counted once'],
    plant: () => ({
      outbox: (outbox) => ({
        offer: (subject, events) => {
          outbox.offer(subject, events.map(renamed));
          return outbox.offer(subject, events);
        },
        flush: (timeoutMs) => outbox.flush(timeoutMs),
        get pending() {
          return outbox.pending;
        },
      }),
    }),
  },
  {
    name: 'the outbox loses facts',
    foundBy: ['facts are counted once', 'the fleet is well again after quiet'],
    plant: () => ({
      outbox: (outbox) => ({
        offer: (subject, events) =>
          events.some(({ type }) => type === 'gateway.observed') ? true : outbox.offer(subject, events),
        flush: (timeoutMs) => outbox.flush(timeoutMs),
        get pending() {
          return outbox.pending;
        },
      }),
    }),
  },
  {
    name: 'somebody writes what nobody declared',
    foundBy: ['every event is declared and written by its writer'],
    plant: () => ({ events: (events) => appending(events, undeclared) }),
  },
  {
    name: 'workers say that nothing is under way',
    foundBy: ['a drain ends empty or at its deadline', PROJECTIONS],
    plant: () => ({ worker: (message) => (message.kind === 'observed' ? idle(message) : message) }),
  },
];

class HastyDisk extends LogDisk {
  readonly #lasting = { position: 0 };

  override get durable(): number {
    return this.written;
  }

  override sync(position: number): void {
    this.#lasting.position = Math.max(this.#lasting.position, position);
    super.sync(position);
  }
}

class ForgetfulDisk extends LogDisk {
  override positionOf(): undefined {
    return undefined;
  }
}

function appending(events: EventLog, change: (draft: RecordDraft) => RecordDraft): EventLog {
  return {
    append: (draft) => events.append(change(draft)),
    replay: (after, apply, until) => events.replay(after, apply, until),
    tail: (after, apply) => events.tail(after, apply),
    head: () => events.head(),
    lastOf: (subject) => events.lastOf(subject),
    saveSnapshot: (snapshot) => events.saveSnapshot(snapshot),
    loadSnapshot: (until) => events.loadSnapshot(until),
    status: () => events.status(),
    onStatus: (listener) => events.onStatus(listener),
    close: () => events.close(),
  };
}

function applyMoodily(fold: FleetFold, record: LogRecord, process: string): void {
  fold.apply(record);
  if (record.position % 40 !== 0) return;
  for (const backend of fold.state.backends.values()) backend.requests += process.length + process.charCodeAt(1);
}

function applyAndInvent(fold: FleetFold, record: LogRecord): void {
  fold.apply(record);
  for (const backend of fold.state.backends.values()) backend.healthCause = 'invented';
}

/** The state by which a service decides, changed before each look. */
function seen(fleet: FleetView, state: () => FleetState): FleetView {
  return {
    get state() {
      return state();
    },
    get position() {
      return fleet.position;
    },
    digest: () => fleet.digest(),
    onRecord: (listener) => fleet.onRecord(listener),
  };
}

function deafTo(fleet: FleetView, type: UsherEvent['type']): FleetView {
  const view = seen(fleet, () => fleet.state);
  const without = (record: LogRecord): LogRecord => ({
    ...record,
    events: record.events.filter((event) => event.type !== type),
  });
  return {
    ...view,
    get state() {
      return fleet.state;
    },
    get position() {
      return fleet.position;
    },
    onRecord: (listener) => fleet.onRecord((record) => listener(without(record))),
  };
}

function withBackends(
  fleet: FleetView,
  change: (backend: FleetState['backends'] extends Map<string, infer B> ? B : never, state: FleetState) => object,
): FleetView {
  return seen(fleet, () => {
    const { state } = fleet;
    const changed = [...state.backends].map(([id, backend]) => [id, { ...backend, ...change(backend, state) }] as const);
    return { ...state, backends: new Map(changed) };
  });
}

function onlyTripped(fleet: FleetView): FleetView {
  return withBackends(fleet, ({ seenBy, trippedBy }) => ({
    seenBy: new Map([...seenBy].filter(([gateway]) => trippedBy.has(gateway))),
  }));
}

function allEmptied(fleet: FleetView): FleetView {
  return withBackends(fleet, (_backend, { gateways }) => ({ emptiedBy: new Set(gateways.keys()) }));
}

function withoutReceipts(fleet: FleetView): FleetView {
  return seen(fleet, () => ({ ...fleet.state, receipts: new Map() }));
}

function skipTerms(draft: RecordDraft): RecordDraft {
  const events = draft.events.map((event) =>
    event.type === 'scheduler.elected' ? { ...event, data: { ...event.data, term: event.data.term + 1 } } : event,
  );
  return { ...draft, events };
}

function undeclared(draft: RecordDraft): RecordDraft {
  const events = draft.events.map((event) =>
    event.type === 'breaker.tripped' ? ({ ...event, type: 'breaker.hiccuped' } as UsherEvent | object as UsherEvent) : event,
  );
  return { ...draft, events };
}

function reserving(store: StateStore, change: (reservations: Reservations) => Partial<Reservations>): StateStore {
  const { reservations } = store;
  const right: Reservations = {
    reserve: (request) => reservations.reserve(request),
    release: (pool, owner, allocations) => reservations.release(pool, owner, allocations),
    renew: (request) => reservations.renew(request),
    restore: (request) => reservations.restore(request),
    sweep: (pool, max) => reservations.sweep(pool, max),
    list: (pool) => reservations.list(pool),
  };
  const wrong = { ...right, ...change(reservations) };
  return new Proxy(store, {
    get: (target, name) => {
      if (name === 'reservations') return wrong;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function boundless(reservations: Reservations): Partial<Reservations> {
  return {
    reserve: (request) => {
      const candidates = request.candidates.map((candidate) => ({
        ...candidate,
        capacity: { ...candidate.capacity, milliCpu: candidate.capacity.milliCpu * 2 },
      }));
      return reservations.reserve({ ...request, candidates });
    },
  };
}

/** Whoever tells first is taken for all. */
function hasty(reservations: Reservations): Partial<Reservations> {
  return { restore: (request) => reservations.restore({ ...request, gateways: [request.owner] }) };
}

function keeping(reservations: Reservations): Partial<Reservations> {
  let calls = 0;
  return {
    release: (pool, owner, allocations) => {
      calls += 1;
      return reservations.release(pool, owner, calls % 5 === 0 ? [] : allocations);
    },
    sweep: async () => [],
  };
}

/** What a worker saw, without what it has under way. */
function idle(message: Extract<FromWorker, { readonly kind: 'observed' }>): FromWorker {
  const backends = message.observation.backends.map((seen) => ({ ...seen, inFlight: 0 }));
  return { ...message, observation: { ...message.observation, backends } };
}

function renamed(event: UsherEvent): UsherEvent {
  return { ...event, id: `${event.id.slice(0, -4)}ffff` };
}
