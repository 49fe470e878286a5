import { FleetFold } from '@usher/actors';
import type { HealthCheck, PoolSettings } from '@usher/domain';
import { CONTROL_SUBJECT, type EventDraft, envelop, eventSubject } from '@usher/events';
import type { LogRecord, Metrics, Outbox, Sample, ServiceContext, StateStore } from '@usher/ports';
import { StoreUnavailableError } from '@usher/ports';
import {
  LEASES_ONLY,
  MemoryEventLog,
  MemoryStorage,
  RecordingLog,
  SimulatedClock,
  seededRandom,
} from '@usher/testing';

/** A fleet in memory for the tests of this service: one log and one store, on which several processes can be opened. */
export class TestFleet {
  readonly clock = new SimulatedClock();
  readonly storage = new MemoryStorage();
  readonly store = new LeaseStore(this.clock);
  readonly #random = seededRandom(7);
  readonly #log = new MemoryEventLog(this.clock, this.storage);

  /** Writes as the scheduler would. */
  async write(...drafts: EventDraft[]): Promise<void> {
    const context = { source: 'usher/scheduler/test', timeMs: this.clock.now(), actor: 'test' };
    const events = envelop(drafts, context, () => this.#random.uuid());
    await this.#log.append({ subject: CONTROL_SUBJECT, events });
    await settled();
  }

  /** Writes as another prober would, which sees what ours does not. */
  async rival(type: 'backend.became_healthy' | 'backend.became_unhealthy', backend: string): Promise<void> {
    const draft = { type, subject: backend, data: { backend, cause: 'seen by a rival' } };
    const context = { source: 'usher/health/rival', timeMs: this.clock.now(), actor: 'health' };
    const events = envelop([draft], context, () => this.#random.uuid());
    await this.#log.append({ subject: eventSubject('health', backend), events });
    await settled();
  }

  /** Another process of the fleet, with a fold of its own. */
  open(instance: string, seed = 1): TestProcess {
    return new TestProcess(this, instance, seed);
  }

  /** Lets time pass in small steps, with room for what is set off by each. */
  async pass(ms: number): Promise<void> {
    const stepMs = 20;
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.clock.advance(Math.min(stepMs, ms - passed));
      await settled();
    }
  }

  /** Events of the log from all records, in order. */
  async events(type?: string) {
    const events: { type: string; subject: string; data: unknown; id: string }[] = [];
    await this.#log.replay(0, (record) => events.push(...record.events));
    return events.filter((event) => type === undefined || event.type === type);
  }

  /** Transitions of a backend as `healthy` and `unhealthy`. */
  async transitions(backend: string): Promise<string[]> {
    const events = await this.events();
    return events
      .filter(({ subject, type }) => subject === backend && type.startsWith('backend.became_'))
      .map(({ type }) => type.slice('backend.became_'.length));
  }
}

class TestProcess {
  readonly events: MemoryEventLog;
  readonly fold = new FleetFold();
  readonly log = new RecordingLog();
  readonly metrics = new ReadableMetrics();
  readonly context: ServiceContext;
  /** What the outbox was offered; it is full while `outboxFull`. */
  readonly facts: { readonly subject: string; readonly data: unknown }[] = [];
  outboxFull = false;
  #late: LogRecord[] | undefined;

  constructor({ clock, storage, store }: TestFleet, instance: string, seed: number) {
    this.events = new MemoryEventLog(clock, storage);
    this.events.tail(0, (record) => {
      if (this.#late === undefined) this.fold.apply(record);
      else this.#late.push(record);
    });
    const outbox: Outbox = {
      offer: (subject, events) => {
        if (this.outboxFull) return false;
        this.facts.push(...events.map(({ data }) => ({ subject, data })));
        void this.events.append({ subject, events });
        return true;
      },
      flush: async () => {},
      pending: 0,
    };
    this.context = {
      instance,
      owner: instance,
      version: '0.0.0',
      fleet: this.fold,
      events: this.events,
      outbox,
      bus: silentBus,
      store,
      clock,
      random: seededRandom(seed),
      log: this.log,
      metrics: this.metrics,
    };
  }

  /** From now on records reach this process's fold late: not before `catchUp`. */
  lag(): void {
    this.#late ??= [];
  }

  catchUp(): void {
    const late = this.#late ?? [];
    this.#late = undefined;
    for (const record of late) this.fold.apply(record);
  }
}

const silentBus: ServiceContext['bus'] = {
  request: () => Promise.reject(new Error('nobody listens')),
  serve: () => ({ stop: () => {} }),
  publish: () => {},
  subscribe: () => ({ stop: () => {} }),
};

/** Leases alone, which run out by the simulated clock; can be cut off. */
class LeaseStore implements StateStore {
  readonly reservations = LEASES_ONLY.reservations;
  readonly sticky = LEASES_ONLY.sticky;
  readonly rates = LEASES_ONLY.rates;
  connected = true;
  /** While set, leases are asked for in vain until it resolves. */
  held: Promise<void> | undefined;
  readonly #clock: SimulatedClock;
  readonly #leases = new Map<string, { owner: string; untilMs: number }>();

  constructor(clock: SimulatedClock) {
    this.#clock = clock;
  }

  async acquireLease(name: string, owner: string, ttlMs: number) {
    await this.held;
    this.#assertConnected();
    const lease = this.#leases.get(name);
    if (lease !== undefined && lease.owner !== owner && lease.untilMs > this.#clock.now())
      return { held: false, owner: lease.owner };
    this.#leases.set(name, { owner, untilMs: this.#clock.now() + ttlMs });
    return { held: true, owner };
  }

  async releaseLease(name: string, owner: string) {
    this.#assertConnected();
    return this.#leases.get(name)?.owner === owner && this.#leases.delete(name);
  }

  async listLeases() {
    return [];
  }
  async get() {
    return undefined;
  }
  async set() {}
  async setIfAbsent(_key: string, value: string) {
    return value;
  }
  async delete() {
    return false;
  }
  status() {
    return { connected: this.connected, sinceMs: 0 };
  }
  onStatus() {}
  async close() {}

  #assertConnected() {
    if (!this.connected) throw new StoreUnavailableError('the store is cut off');
  }
}

/** Metrics that a test can read as they would be scraped now. */
class ReadableMetrics implements Metrics {
  readonly #families = new Map<string, () => readonly Sample[] | Promise<readonly Sample[]>>();

  counter(name: string, _help: string, collect: () => readonly Sample[] | Promise<readonly Sample[]>) {
    this.#families.set(name, collect);
  }
  gauge(name: string, _help: string, collect: () => readonly Sample[] | Promise<readonly Sample[]>) {
    this.#families.set(name, collect);
  }
  histogram() {}

  async read(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number | undefined> {
    const samples = (await this.#families.get(name)?.()) ?? [];
    const wanted = Object.entries(labels);
    return samples.find((sample) => wanted.every(([key, value]) => sample.labels[key] === value))?.value;
  }
}

export const TCP_CHECK = { type: 'tcp', intervalMs: 5000, timeoutMs: 2000, fall: 3, rise: 2 } as const;

export function poolAdded(id: string, health: HealthCheck = TCP_CHECK): EventDraft {
  return { type: 'pool.added', subject: id, data: { settings: poolSettings(id, health), origin: 'config' } };
}

export function poolUpdated(id: string, health: HealthCheck): EventDraft {
  return { type: 'pool.updated', subject: id, data: { settings: poolSettings(id, health) } };
}

export function poolSettings(id: string, health: HealthCheck): PoolSettings {
  return {
    id,
    strategy: 'p2c',
    health,
    breaker: { enabled: false, failures: 5, windowMs: 1, openForMs: 1, halfOpenRequests: 1, successes: 1 },
    retry: { attempts: 1, budgetRatio: 0.2 },
    proxyProtocol: 'none',
    http2: false,
    drainMs: 1000,
    agents: false,
  };
}

export function registered(
  id: string,
  port: number,
  health: 'unknown' | 'unchecked' = 'unknown',
  endpointPorts: readonly number[] = [],
): EventDraft {
  const endpoints = endpointPorts.map((each) => ({ path: `/${each}`, url: `http://127.0.0.1:${each}` }));
  const settings = { id, pool: 'web', url: `http://127.0.0.1:${port}`, endpoints, weight: 1 };
  return { type: 'backend.registered', subject: id, data: { settings, origin: 'config', health } };
}

export function moved(id: string, port: number): EventDraft {
  const settings = { id, pool: 'web', url: `http://127.0.0.1:${port}`, weight: 1 };
  return { type: 'backend.updated', subject: id, data: { settings, health: 'unknown' } };
}

/** Resolves when everything that was set off and needs no time has happened. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
