import { FleetFold } from '@usher/actors';
import { UsherError } from '@usher/domain';
import {
  CONTROL_SUBJECT,
  type Command,
  type CommandAnswer,
  type EventDraft,
  envelop,
  ROUTE_PREFIX,
} from '@usher/events';
import { type LogRecord, type Service, type ServiceContext, StoreUnavailableError } from '@usher/ports';
import { createAdminApp, type Outage } from '@usher/runtime';
import {
  LEASES_ONLY,
  MemoryEventLog,
  MemoryStorage,
  RecordingLog,
  SimulatedClock,
  seededRandom,
} from '@usher/testing';
import { registerAdminRoutes } from './admin-routes.ts';
import type { ConfigPreviews } from './preview-routes.ts';

const TOKENS = [
  { name: 'viewer', secret: 'view-secret', role: 'read' },
  { name: 'ops', secret: 'ops-secret', role: 'operate' },
  { name: 'owner', secret: 'owner-secret', role: 'admin' },
] as const;
export const VIEW = { authorization: 'Bearer view-secret' };
const OPS = { authorization: 'Bearer ops-secret' };

/** The admin server over a fleet in memory. The scheduler is whatever `answer` says. */
export class TestAdmin {
  readonly clock = new SimulatedClock();
  readonly storage = new MemoryStorage();
  readonly events = new MemoryEventLog(this.clock, this.storage);
  readonly fold = new FleetFold();
  readonly log = new RecordingLog();
  /** Commands as the scheduler got them, by subject. */
  readonly sent: { readonly subject: string; readonly command: Command }[] = [];
  readonly services: Service[] = [];
  readonly outages: Outage[] = [];
  answer: (command: Command) => Promise<CommandAnswer> = async () => ({
    ok: true,
    position: 0,
    events: ['backend.disabled'],
    repeated: false,
  });
  /** What gateways answer. */
  route: (subject: string, payload: string) => Promise<string> = (subject) =>
    Promise.reject(new UsherError('no_leader', `nobody serves ${subject}`));
  /** What of a text this process says that it would change. */
  readonly previews: ConfigPreviews = {
    text: async (text) => ({ preview: null, faults: [`${text} is none`] }),
    settings: () => [],
  };
  storeConnected = true;
  /** What gateways say of what they have under way. */
  hear: (subject: string, payload: string) => void = () => {};
  leases: { name: string; owner: string }[] = [{ name: 'scheduler', owner: 'one' }];
  readonly #random = seededRandom(3);
  #late: LogRecord[] | undefined;
  readonly app = createAdminApp({
    host: '127.0.0.1',
    port: 0,
    tokens: TOKENS,
    allow: ['127.0.0.0/8'],
    clock: this.clock,
    log: this.log,
    random: this.#random,
    health: () => ({ status: 'ok', services: [] }),
    register: (app) =>
      registerAdminRoutes(app, this.context(), {
        services: () => this.services,
        outages: () => this.outages,
        previews: this.previews,
      }),
  });

  constructor() {
    this.events.tail(0, (record) => {
      if (this.#late === undefined) this.fold.apply(record);
      else this.#late.push(record);
    });
  }

  get = (url: string) => this.app.inject({ url, headers: VIEW });

  send = (
    method: 'POST' | 'PATCH' | 'DELETE',
    url: string,
    payload?: unknown,
    headers: Record<string, string> = {},
  ) =>
    this.app.inject({
      method,
      url,
      headers: { ...OPS, 'content-type': 'application/json', ...headers },
      ...(payload === undefined ? {} : { payload: JSON.stringify(payload) }),
    });

  /** Writes as the scheduler would; answers with the position. */
  async write(...drafts: EventDraft[]): Promise<number> {
    const context = { source: 'usher/scheduler/test', timeMs: this.clock.now(), actor: 'test' };
    const events = envelop(drafts, context, () => this.#random.uuid());
    const { position } = await this.events.append({ subject: CONTROL_SUBJECT, events });
    return position;
  }

  /** From now on records are folded late: not before `catchUp`. */
  lag(): void {
    this.#late ??= [];
  }

  catchUp(): void {
    const late = this.#late ?? [];
    this.#late = undefined;
    for (const record of late) this.fold.apply(record);
  }

  /** What routes get from the process. */
  context(): ServiceContext {
    return {
      instance: 'one',
      owner: 'one',
      version: '1.2.3',
      fleet: this.fold,
      events: this.events,
      outbox: { offer: () => true, flush: async () => {}, pending: 0 },
      bus: {
        request: async (subject, payload) => {
          if (subject.startsWith(ROUTE_PREFIX)) return await this.route(subject, payload);
          const command = JSON.parse(payload) as Command;
          this.sent.push({ subject, command });
          return JSON.stringify(await this.answer(command));
        },
        serve: () => ({ stop: () => {} }),
        publish: () => {},
        subscribe: (_subject, handler) => {
          this.hear = handler;
          return { stop: () => {} };
        },
      },
      store: this.#store(),
      clock: this.clock,
      random: this.#random,
      log: this.log,
      metrics: { counter: () => {}, gauge: () => {}, histogram: () => {} },
    };
  }

  #store(): ServiceContext['store'] {
    return {
      ...LEASES_ONLY,
      acquireLease: async (_name, owner) => ({ held: true, owner }),
      releaseLease: async () => true,
      listLeases: async (prefix) => {
        if (!this.storeConnected) throw new StoreUnavailableError('cut off');
        return this.leases.filter(({ name }) => name.startsWith(prefix));
      },
      get: async () => undefined,
      set: async () => {},
      setIfAbsent: async (_key, value) => value,
      delete: async () => false,
      status: () => ({ connected: this.storeConnected, sinceMs: this.clock.now() }),
      onStatus: () => {},
      close: async () => {},
    };
  }
}

/** A pool `web` with the backends `b1` and `b2`, and a gateway. */
export function smallFleet(): EventDraft[] {
  const timing = { intervalMs: 5000, timeoutMs: 2000, fall: 3, rise: 2 };
  const pool: EventDraft = {
    type: 'pool.added',
    subject: 'web',
    data: {
      origin: 'config',
      settings: {
        id: 'web',
        strategy: 'p2c',
        health: { type: 'tcp', ...timing },
        breaker: { enabled: true, failures: 5, windowMs: 1, openForMs: 1, halfOpenRequests: 1, successes: 1 },
        retry: { attempts: 1, budgetRatio: 0.2 },
        proxyProtocol: 'none',
        http2: false,
        drainMs: 1000,
        agents: false,
      },
    },
  };
  const backends = ['b1', 'b2'].map(
    (id, index): EventDraft => ({
      type: 'backend.registered',
      subject: id,
      data: {
        settings: { id, pool: 'web', url: `http://10.0.0.1:300${index}`, weight: 1 },
        origin: 'config',
        health: 'unknown',
      },
    }),
  );
  return [
    pool,
    ...backends,
    { type: 'backend.became_healthy', subject: 'b1', data: { backend: 'b1', cause: 'a probe succeeded' } },
    { type: 'gateway.started', subject: 'gw1', data: { gateway: 'gw1', version: '1.2.3', workers: 2 } },
    { type: 'scheduler.elected', subject: 'fleet', data: { scheduler: 'one', term: 4 } },
  ];
}
