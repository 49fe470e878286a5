import { FleetFold } from '@usher/actors';
import {
  type BackendSettings,
  type BackendState,
  type BackendStats,
  type PoolSettings,
  UsherError,
} from '@usher/domain';
import {
  type Command,
  type CommandAnswer,
  type EventDraft,
  envelop,
  ROUTE_PREFIX,
  type UsherEvent,
} from '@usher/events';
import type { Clock, EventLog, Log, MessageBus, Outbox, Random, Sample, ServiceContext } from '@usher/ports';
import { type Collector, startCollector } from '../collector.ts';
import { TestLeases } from './test-leases.ts';

const GIB = 2 ** 30;

interface TestPorts {
  readonly clock: Clock & { advance(ms: number): void };
  readonly random: Random;
  readonly log: Log;
  readonly events: EventLog;
}

/** A fleet in one process. What collectors write is folded at once, unless the outbox is full. */
export class TestFleet {
  readonly fold = new FleetFold();
  readonly leases: TestLeases;
  readonly written: UsherEvent[] = [];
  readonly subjects: string[] = [];
  outboxFull = false;
  /** Commands that the scheduler got. */
  readonly commands: Command[] = [];
  /** What the scheduler answers. */
  decide: (command: Command) => Promise<CommandAnswer> = async () => ({
    ok: true,
    position: this.fold.position,
    events: [],
    repeated: false,
  });
  /** What a gateway answers that is asked for a decision. */
  route: (payload: string) => Promise<string> = () => Promise.reject(new UsherError('no_leader'));
  readonly #ports: TestPorts;
  readonly #families = new Map<string, () => readonly Sample[] | Promise<readonly Sample[]>>();
  #handlers: ((subject: string, payload: string) => void)[] = [];
  #collectors: Collector[] = [];
  #serve: ((subject: string, payload: string) => Promise<string>) | undefined;

  readonly bus: MessageBus = {
    publish: (subject, payload) => {
      for (const handler of this.#handlers) handler(subject, payload);
    },
    subscribe: (_subject, handler) => {
      this.#handlers.push(handler);
      return {
        stop: () => {
          this.#handlers = this.#handlers.filter((other) => other !== handler);
        },
      };
    },
    request: async (subject, payload) => {
      if (subject === ROUTE_PREFIX) return await this.route(payload);
      const command = JSON.parse(payload) as Command;
      this.commands.push(command);
      return JSON.stringify(await this.decide(command));
    },
    serve: (_subject, handler) => {
      this.#serve = handler;
      return {
        stop: () => {
          this.#serve = undefined;
        },
      };
    },
  };

  readonly #outbox: Outbox = {
    offer: (subject, events) => {
      if (this.outboxFull) return false;
      this.subjects.push(subject);
      this.written.push(...events);
      this.fold.apply({ position: this.fold.position + 1, subject, events, quarantined: [] });
      return true;
    },
    flush: async () => undefined,
    pending: 0,
  };

  /** A fleet with one backend, `a`. */
  constructor(ports: TestPorts) {
    this.#ports = ports;
    this.leases = new TestLeases(ports.clock);
    this.register('a');
  }

  /** What a service of this fleet is given. */
  context(instance = 'one'): ServiceContext {
    const family = (
      name: string,
      _help: string,
      collect: () => readonly Sample[] | Promise<readonly Sample[]>,
    ) => void this.#families.set(name, collect);
    return {
      ...this.#ports,
      instance,
      owner: instance,
      version: '0',
      fleet: this.fold,
      outbox: this.#outbox,
      bus: this.bus,
      store: this.leases.store,
      metrics: { counter: family, gauge: family, histogram: () => undefined },
    };
  }

  async start(instance = 'one'): Promise<Collector> {
    const collector = startCollector(this.context(instance));
    this.#collectors.push(collector);
    await settled();
    return collector;
  }

  register(
    id: string,
    changes: Partial<BackendSettings> = {},
    origin: BackendState['origin'] = 'command',
  ): void {
    const settings = { id, pool: 'web', url: 'http://127.0.0.1:1', weight: 1, ...changes };
    this.#append({
      type: 'backend.registered',
      subject: id,
      data: { settings, origin, health: 'unchecked' },
    });
  }

  /** A pool that takes agents. */
  addPool(id: string, tiers: PoolSettings['tiers']): void {
    const breaker = { failures: 1, windowMs: 1, openForMs: 1, halfOpenRequests: 1, successes: 1 };
    const settings: PoolSettings = {
      id,
      strategy: 'resource',
      health: { type: 'none' },
      breaker: { enabled: false, ...breaker },
      retry: { attempts: 0, budgetRatio: 0 },
      proxyProtocol: 'none',
      http2: false,
      drainMs: 0,
      agents: true,
      tiers,
    };
    this.#append({ type: 'pool.added', subject: id, data: { settings, origin: 'config' } });
  }

  /** It only finishes what it has, and is gone then. */
  startRemoval(id: string): void {
    this.#append({
      type: 'backend.drain_started',
      subject: id,
      data: { backend: id, deadlineMs: 1e15, remove: true },
    });
  }

  remove(id: string): void {
    this.#append({ type: 'backend.removed', subject: id, data: { backend: id } });
  }

  report(backend: string, changes: Partial<BackendStats> = {}): void {
    this.bus.publish(`usher.stats.${backend}`, JSON.stringify(statsWith(changes)));
  }

  /** An agent asks over the bus. */
  async ask(backend: string, payload: string): Promise<unknown> {
    const answer = await this.#serve?.(`usher.agents.${backend}`, payload);
    return answer === undefined ? undefined : (JSON.parse(answer) as unknown);
  }

  /** Seconds pass; at the start of each, whoever is named reports. */
  async seconds(
    count: number,
    reporting: readonly string[] = [],
    changes: Partial<BackendStats> = {},
  ): Promise<void> {
    for (let i = 0; i < count; i++) {
      for (const backend of reporting) this.report(backend, changes);
      this.#ports.clock.advance(1_000);
      await settled();
    }
  }

  types(): string[] {
    return this.written.map((event) => event.type);
  }

  count(type: string): number {
    return this.written.filter((event) => event.type === type).length;
  }

  /** Values of a metric family by the value of a label, '' without one. */
  async metric(name: string, label = ''): Promise<Record<string, number>> {
    const samples = (await this.#families.get(name)?.()) ?? [];
    return Object.fromEntries(samples.map((sample) => [sample.labels[label] ?? '', sample.value]));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#collectors.splice(0).map((collector) => collector.stop()));
  }

  #append(draft: EventDraft): void {
    const { random } = this.#ports;
    const context = { source: 'usher/test/t', timeMs: 0, actor: 'test' };
    const events = envelop([draft], context, () => random.uuid());
    const subject = 'usher.events.scheduler.control';
    this.fold.apply({ position: this.fold.position + 1, subject, events, quarantined: [] });
  }
}

export function statsWith(changes: Partial<BackendStats>): BackendStats {
  return {
    atMs: 5,
    coresPercent: [10, 20],
    memoryUsedBytes: GIB,
    memoryTotalBytes: 4 * GIB,
    diskUsedBytes: 10 * GIB,
    diskTotalBytes: 100 * GIB,
    gpus: [],
    ...changes,
  };
}

/** Lets promises that wait for nothing outside go on. */
async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}
