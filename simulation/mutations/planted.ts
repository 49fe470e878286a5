import type { FleetFold } from '@usher/actors';
import type { BackendState, FleetState } from '@usher/domain';
import type { UsherEvent } from '@usher/events';
import type { EventLog, FleetView, LogRecord, RecordDraft, Reservations, StateStore } from '@usher/ports';
import type { RoutingTable, TableDelta } from '../../services/gateway/src/routing-table.ts';
import type { FromWorker } from '../../services/gateway/src/worker/protocol.ts';
import type { Prober } from '../../services/health/src/prober.ts';
import { LogDisk } from '../parts/log-disk.ts';

/** Wrong parts, made of the right ones. */

const HASTE_RECORDS = 20;

/** It says that records last which it has not written yet. */
export class HastyDisk extends LogDisk {
  override crash(): number {
    return this.cut(Math.max(0, this.durable - HASTE_RECORDS));
  }
}

export class ForgetfulDisk extends LogDisk {
  override positionOf(): undefined {
    return undefined;
  }
}

export function appending(events: EventLog, change: (draft: RecordDraft) => RecordDraft): EventLog {
  return {
    append: async (draft) => await events.append(change(draft)),
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

export function applyMoodily(fold: FleetFold, record: LogRecord, process: string): void {
  fold.apply(record);
  if (record.position % 40 !== 0 || !process.startsWith('g')) return;
  for (const backend of fold.state.backends.values()) backend.requests += 1;
}

export function applyAndInvent(fold: FleetFold, record: LogRecord): void {
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

export function deafTo(fleet: FleetView, type: UsherEvent['type']): FleetView {
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
  change: (backend: BackendState, state: FleetState) => object,
): FleetView {
  return seen(fleet, () => {
    const { state } = fleet;
    const changed = [...state.backends].map(
      ([id, backend]) => [id, { ...backend, ...change(backend, state) }] as const,
    );
    return { ...state, backends: new Map(changed) };
  });
}

export function onlyTripped(fleet: FleetView): FleetView {
  return withBackends(fleet, ({ seenBy, trippedBy }) => ({
    seenBy: new Map([...seenBy].filter(([gateway]) => trippedBy.has(gateway))),
  }));
}

export function allEmptied(fleet: FleetView): FleetView {
  return withBackends(fleet, (_backend, { gateways }) => ({ emptiedBy: new Set(gateways.keys()) }));
}

export function withoutReceipts(fleet: FleetView): FleetView {
  return seen(fleet, () => ({ ...fleet.state, receipts: new Map() }));
}

export function skipTerms(draft: RecordDraft): RecordDraft {
  const events = draft.events.map((event) =>
    event.type === 'scheduler.elected'
      ? { ...event, data: { ...event.data, term: event.data.term + 1 } }
      : event,
  );
  return { ...draft, events };
}

export function undeclared(draft: RecordDraft): RecordDraft {
  const events = JSON.stringify(draft.events).replaceAll('"breaker.tripped"', '"breaker.hiccuped"');
  return { ...draft, events: JSON.parse(events) as readonly UsherEvent[] };
}

export function reserving(
  store: StateStore,
  change: (reservations: Reservations) => Partial<Reservations>,
): StateStore {
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

export function boundless(reservations: Reservations): Partial<Reservations> {
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
export function hasty(reservations: Reservations): Partial<Reservations> {
  return { restore: (request) => reservations.restore({ ...request, gateways: [request.owner] }) };
}

export function keeping(reservations: Reservations): Partial<Reservations> {
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
export function idle(message: Extract<FromWorker, { readonly kind: 'observed' }>): FromWorker {
  const backends = message.observation.backends.map((seen) => ({ ...seen, inFlight: 0 }));
  return { ...message, observation: { ...message.observation, backends } };
}

export function renamed(event: UsherEvent): UsherEvent {
  return { ...event, id: `${event.id.slice(0, -4)}ffff` };
}

export function choosy(draft: RecordDraft): RecordDraft {
  if (draft.events.some(({ type }) => type === 'gateway.observed')) throw new RangeError('no such subject');
  return draft;
}

/** A table that is told of the end of each tenth attempt so many times. */
export function finishing(table: RoutingTable, times: number): RoutingTable {
  let ends = 0;
  return {
    get policy() {
      return table.policy;
    },
    get position() {
      return table.position;
    },
    match: (host, path) => table.match(host, path),
    pick: (...asked) => table.pick(...asked),
    wait: (...asked) => table.wait(...asked),
    begin: (slot) => table.begin(slot),
    slotAt: (index) => table.slotAt(index),
    finish: (...ended) => {
      ends += 1;
      for (let time = 0; time < (ends % 10 === 0 ? times : 1); time++) table.finish(...ended);
    },
    hear: (...heard) => table.hear(...heard),
    hold: (slot, reserved) => table.hold(slot, reserved),
    takeRetry: (pool, nowMs) => table.takeRetry(pool, nowMs),
  };
}

/** A table that now and then chooses whomever it likes. */
export function straying(table: RoutingTable): RoutingTable {
  let picks = 0;
  return {
    ...finishing(table, 1),
    pick: (pool, tried, features) => {
      picks += 1;
      const right = table.pick(pool, tried, features);
      return right === undefined || picks % 5 > 0 ? right : pool.slots[picks % pool.slots.length];
    },
  };
}

export function failingOpen(delta: TableDelta): TableDelta {
  return delta.kind === 'pool' ? { ...delta, settings: { ...delta.settings, failOpen: true } } : delta;
}

/** Workers are allowed to eject more than the pool does, and what is taken back they do not hear. */
export function generous(delta: TableDelta): TableDelta | undefined {
  if (delta.kind === 'readmitted') return undefined;
  if (delta.kind !== 'pool' || delta.settings.passive === undefined) return delta;
  const passive = { ...delta.settings.passive, maxEjected: 1 };
  return { ...delta, settings: { ...delta.settings, passive } };
}

/** After its first probes nothing answers it any more. */
export function despairing(prober: Prober): Prober {
  let probes = 0;
  return {
    probe: async (...asked) => {
      probes += 1;
      const result = await prober.probe(...asked);
      return probes > 20 ? { ok: false, timedOut: false, cause: 'despair' } : result;
    },
  };
}

export function saying(events: EventLog): EventLog {
  return {
    ...appending(events, (draft) => draft),
    append: async (draft) => {
      if (draft.events.at(-1)?.type !== 'command.accepted') return await events.append(draft);
      return { position: (await events.head()) + 1, duplicate: false };
    },
  };
}
