import { FleetFold } from '@usher/actors';
import type { SharedSettings } from '@usher/domain';
import { type CommandAnswer, type EventDraft, envelop, eventSubject, type UsherEvent } from '@usher/events';
import type { MessageBus, Metrics, ServiceContext } from '@usher/ports';
import { openEmbeddedStore } from '@usher/state-store';
import { MemoryEventLog, MemoryStorage, RecordingLog, SimulatedClock, seededRandom } from '@usher/testing';
import { afterEach } from 'vitest';
import { Scheduler } from '../scheduler.ts';
import { TestFiles, TestResolver } from './test-sources.ts';

const TIMING = { intervalMs: 1000, timeoutMs: 500, fall: 3, rise: 2 };

/** A file with one pool `web` and the backends named. */
export function declared(
  backendIds: readonly string[],
  hash = backendIds.join(),
): { shared: SharedSettings; hash: string } {
  const shared: SharedSettings = {
    pools: [
      {
        id: 'web',
        strategy: 'p2c',
        health: { type: 'tcp', ...TIMING },
        breaker: {
          enabled: true,
          failures: 5,
          windowMs: 10_000,
          openForMs: 30_000,
          halfOpenRequests: 3,
          successes: 2,
        },
        retry: { attempts: 1, budgetRatio: 0.2 },
        proxyProtocol: 'none',
        http2: false,
        drainMs: 30_000,
        agents: false,
      },
    ],
    backends: backendIds.map((id, n) => ({ id, pool: 'web', url: `http://10.0.0.${n + 1}:80`, weight: 1 })),
    routes: [{ id: 'all', path: '/*', pool: 'web', plugins: [], websocket: true }],
    timeouts: {
      requestHeaderMs: 1,
      connectMs: 1,
      responseMs: 1,
      bodyIdleMs: 1,
      idleMs: 1,
      backendIdleMs: 1,
      requestMs: 0,
      upgradeIdleMs: 1,
      shutdownMs: 1,
    },
    limits: {
      requestBodyBytes: 0,
      bodyRateBytesPerS: 0,
      headerBytes: 1,
      headerCount: 1,
      connections: 1,
      connectionsPerIp: 0,
      requestsPerConnection: 0,
      upgrades: 1,
    },
    trustedProxies: [],
  };
  return { shared, hash };
}

/** Requests go to the first server of a subject, in process. */
class OneBus implements MessageBus {
  handler: ((subject: string, payload: string) => Promise<string>) | undefined;
  async request(subject: string, payload: string): Promise<string> {
    if (this.handler === undefined) throw new Error('nobody serves');
    return await this.handler(subject, payload);
  }
  serve(_subject: string, handler: (subject: string, payload: string) => Promise<string>) {
    this.handler = handler;
    return {
      stop: () => {
        if (this.handler === handler) this.handler = undefined;
      },
    };
  }
  publish(): void {}
  subscribe() {
    return { stop: () => {} };
  }
}

const noMetrics: Metrics = { counter: () => {}, gauge: () => {}, histogram: () => {} };
const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

/** One fleet: a log, a store and a bus that several schedulers can share. */
export function newFleet() {
  const clock = new SimulatedClock();
  const storage = new MemoryStorage();
  const store = openEmbeddedStore({ clock });
  const bus = new OneBus();
  const resolver = new TestResolver();
  const files = new TestFiles();
  const random = seededRandom(7);
  const start = async (
    instance: string,
    config?: ReturnType<typeof declared>,
    prepare: (events: MemoryEventLog) => void = () => {},
  ) => {
    const events = new MemoryEventLog(clock, storage);
    prepare(events);
    const fold = new FleetFold();
    events.tail(0, (record) => fold.apply(record));
    const outbox = {
      pending: 0,
      offer: (subject: string, batch: readonly UsherEvent[]) => {
        void events.append({ subject, events: batch });
        return true;
      },
      flush: async () => {},
    };
    const log = new RecordingLog();
    const context: ServiceContext = {
      instance,
      owner: instance,
      version: '0',
      fleet: fold,
      events,
      outbox,
      bus,
      store,
      clock,
      random,
      log,
      metrics: noMetrics,
    };
    const scheduler = new Scheduler(context, {
      declared: config,
      snapshot: () => fold.snapshot(),
      discovery: { resolver, files },
      own: [
        { host: '127.0.0.1', port: 9900 },
        { host: '10.0.0.9', port: 9901 },
        { host: 'Admin.example.', port: 9903 },
      ],
    });
    running.push(scheduler);
    await scheduler.start();
    return { scheduler, fold, events, context };
  };
  let commands = 0;
  const command = async (name: string, data: unknown, more: object = {}): Promise<CommandAnswer> => {
    commands += 1;
    const body = { id: `c-${commands}`, name, data, actor: 'mara', ...more };
    return JSON.parse(await bus.request(`usher.commands.${name}`, JSON.stringify(body)));
  };
  const facts = async (events: MemoryEventLog, drafts: readonly EventDraft[]) => {
    const context = { source: 'usher/gateway/t', timeMs: clock.now(), actor: 't' };
    for (const draft of drafts) {
      const batch = envelop([draft], context, () => random.uuid());
      await events.append({ subject: eventSubject('gateway', 't'), events: batch });
    }
  };
  return { clock, start, command, facts, storage, resolver, files };
}

export const started = (gateway: string): EventDraft => ({
  type: 'gateway.started',
  subject: gateway,
  data: { gateway, version: '0', workers: 1 },
});
export const saw = (gateway: string, ...backends: string[]): EventDraft => ({
  type: 'gateway.observed',
  subject: gateway,
  data: {
    gateway,
    windowMs: 1000,
    requests: 10,
    errors: 0,
    backends: backends.map((backend) => ({ backend, requests: 10, failures: 0, latencySumMs: 1 })),
  },
});
export const tripped = (gateway: string, backend: string, untilMs: number): EventDraft => ({
  type: 'breaker.tripped',
  subject: backend,
  data: { backend, gateway, failures: 5, requests: 10, untilMs },
});
