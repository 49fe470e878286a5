import { FleetFold } from '@usher/actors';
import type { SharedSettings } from '@usher/domain';
import { CONTROL_SUBJECT, type CommandAnswer, type EventDraft, envelop, eventSubject } from '@usher/events';
import type { MessageBus, Metrics, ServiceContext } from '@usher/ports';
import { openEmbeddedStore } from '@usher/state-store';
import { MemoryEventLog, MemoryStorage, RecordingLog, SimulatedClock, seededRandom } from '@usher/testing';
import { afterEach, expect, test, vi } from 'vitest';
import { Scheduler } from './scheduler.ts';

const TIMING = { intervalMs: 1000, timeoutMs: 500, fall: 3, rise: 2 };

function declared(
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
        drainMs: 30_000,
        agents: false,
      },
    ],
    backends: backendIds.map((id, n) => ({ id, pool: 'web', url: `http://10.0.0.${n + 1}:80`, weight: 1 })),
    routes: [{ id: 'all', path: '/*', pool: 'web', plugins: [] }],
    timeouts: {
      requestHeaderMs: 1,
      connectMs: 1,
      responseMs: 1,
      idleMs: 1,
      backendIdleMs: 1,
      requestMs: 0,
      shutdownMs: 1,
    },
    limits: { requestBodyBytes: 0, headerBytes: 1, headerCount: 1, connections: 1 },
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
function newFleet() {
  const clock = new SimulatedClock();
  const storage = new MemoryStorage();
  const store = openEmbeddedStore({ clock });
  const bus = new OneBus();
  const random = seededRandom(7);
  const start = async (instance: string, config?: ReturnType<typeof declared>) => {
    const events = new MemoryEventLog(clock, storage);
    const fold = new FleetFold();
    events.tail(0, (record) => fold.apply(record));
    const outbox = {
      pending: 0,
      offer: (subject: string, batch: Parameters<typeof envelopes>[0]) => {
        void events.append({ subject, events: batch });
        return true;
      },
      flush: async () => {},
    };
    const log = new RecordingLog();
    const context: ServiceContext = {
      ...{ instance, version: '0', fleet: fold, events, outbox, bus, store, clock, random, log },
      metrics: noMetrics,
    };
    const scheduler = new Scheduler(context, { declared: config, snapshot: () => fold.snapshot() });
    running.push(scheduler);
    await scheduler.start();
    return { scheduler, fold, events, context };
  };
  const envelopes = (batch: Parameters<MemoryEventLog['append']>[0]['events']) => batch;
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
  return { clock, start, command, facts, storage };
}

const started = (gateway: string): EventDraft => ({
  type: 'gateway.started',
  subject: gateway,
  data: { gateway, version: '0', workers: 1 },
});
const saw = (gateway: string, ...backends: string[]): EventDraft => ({
  type: 'gateway.observed',
  subject: gateway,
  data: {
    ...{ gateway, windowMs: 1000, requests: 10, errors: 0 },
    backends: backends.map((backend) => ({ backend, requests: 10, failures: 0, latencySumMs: 1 })),
  },
});
const tripped = (gateway: string, backend: string, untilMs: number): EventDraft => ({
  type: 'breaker.tripped',
  subject: backend,
  data: { backend, gateway, failures: 5, requests: 10, untilMs },
});

test('a fresh fleet becomes what the file declares, once', async () => {
  const fleet = newFleet();
  const { fold, events } = await fleet.start('s1', declared(['a', 'b']));
  expect([...fold.state.backends.keys()]).toEqual(['a', 'b']);
  expect(fold.state.backends.get('a')?.health).toBe('unknown');
  const head = await events.head();
  await fleet.start('s1', declared(['a', 'b']));
  expect(fold.state.config?.revision).toBe(1);
  expect(await events.head()).toBeLessThanOrEqual(head + 1);
});

test('a changed file updates, adds and drains away what it no longer declares, and leaves alone what commands added', async () => {
  const fleet = newFleet();
  const first = await fleet.start('s1', declared(['a', 'b']));
  await fleet.command('backend.add', {
    settings: { id: 'x', pool: 'web', url: 'http://10.9.9.9', weight: 1 },
  });
  await first.scheduler.stop();
  const { fold, events } = await fleet.start('s2', declared(['a', 'c']));
  const states = () =>
    Object.fromEntries([...fold.state.backends].map(([id, { lifecycle }]) => [id, lifecycle]));
  expect(states()).toEqual({ a: 'active', b: 'draining', x: 'active', c: 'active' });
  fleet.clock.advance(30_100);
  await vi.waitFor(() => expect(states()).toEqual({ a: 'active', x: 'active', c: 'active' }));
  expect(await events.head()).toBe(fold.position);
});

test('a command is answered with the events it led to, and the same command again changes nothing', async () => {
  const fleet = newFleet();
  const { fold } = await fleet.start('s1', declared(['a']));
  const answer = await fleet.command('backend.disable', { backend: 'a' }, { id: 'same' });
  expect(answer).toEqual({
    ok: true,
    position: fold.position,
    events: ['backend.disabled'],
    repeated: false,
  });
  await fleet.command('backend.enable', { backend: 'a' });
  expect(await fleet.command('backend.disable', { backend: 'a' }, { id: 'same' })).toEqual({
    ...answer,
    repeated: true,
  });
  expect(fold.state.backends.get('a')?.lifecycle).toBe('active');
});

test('what a command asks for that is so already is accepted and writes nothing', async () => {
  const fleet = newFleet();
  const { fold } = await fleet.start('s1', declared(['a']));
  const before = fold.position;
  expect(await fleet.command('backend.enable', { backend: 'a' })).toMatchObject({ ok: true, events: [] });
  expect(fold.position).toBe(before);
});

test.each([
  ['backend.drain', { backend: 'nobody' }, {}, 'not_found'],
  ['backend.add', { settings: { id: 'a', pool: 'web', url: 'http://h', weight: 1 } }, {}, 'conflict'],
  ['backend.add', { settings: { id: 'n', pool: 'none', url: 'http://h', weight: 1 } }, {}, 'not_found'],
  ['backend.add', { settings: { id: 'n', pool: 'web', url: 'ftp://h', weight: 1 } }, {}, 'invalid_input'],
  ['backend.add', { settings: { id: 'n n', pool: 'web', url: 'http://h', weight: 1 } }, {}, 'invalid_input'],
  ['backend.update', { backend: 'a', url: 'http://h/path' }, {}, 'invalid_input'],
  ['backend.update', { backend: 'a', weight: -1 }, {}, 'invalid_input'],
  ['backend.explode', { backend: 'a' }, {}, 'invalid_input'],
  ['backend.disable', { backend: 'a', extra: 1 }, {}, 'invalid_input'],
  ['pool.set_strategy', { pool: 'web', strategy: 'magic' }, {}, 'invalid_input'],
  ['backend.disable', { backend: 'a' }, { expectRevision: 99 }, 'conflict'],
])('%s %j %j is refused with %s', async (name, data, more, code) => {
  const fleet = newFleet();
  const { fold } = await fleet.start('s1', declared(['a']));
  const before = fold.digest();
  expect(await fleet.command(name, data, more)).toMatchObject({ ok: false, problem: { code } });
  expect(fold.digest()).toBe(before);
});

test('of two changes to one revision exactly one is accepted', async () => {
  const fleet = newFleet();
  const { fold } = await fleet.start('s1', declared(['a']));
  const expectRevision = fold.state.backends.get('a')?.revision;
  const answers = await Promise.all([
    fleet.command('backend.update', { backend: 'a', weight: 2 }, { expectRevision }),
    fleet.command('backend.update', { backend: 'a', weight: 3 }, { expectRevision }),
  ]);
  expect(answers.map(({ ok }) => ok).toSorted()).toEqual([false, true]);
});

test('a removed backend drains first and goes when every running gateway is done with it', async () => {
  const fleet = newFleet();
  const { fold, events } = await fleet.start('s1', declared(['a', 'b']));
  await fleet.facts(events, [started('gw-1'), started('gw-2')]);
  await fleet.command('backend.remove', { backend: 'a' });
  const emptied = (gateway: string): EventDraft => ({
    type: 'backend.emptied',
    subject: 'a',
    data: { backend: 'a', gateway },
  });
  await fleet.facts(events, [emptied('gw-1')]);
  fleet.clock.advance(1000);
  expect(fold.state.backends.get('a')?.lifecycle).toBe('draining');
  await fleet.facts(events, [emptied('gw-2')]);
  fleet.clock.advance(100);
  await vi.waitFor(() => expect(fold.state.backends.has('a')).toBe(false));
});

test('another address makes what probes found void', async () => {
  const fleet = newFleet();
  const { fold, events } = await fleet.start('s1', declared(['a']));
  const healthy = {
    type: 'backend.became_healthy',
    subject: 'a',
    data: { backend: 'a', cause: '200' },
  } as const;
  await fleet.facts(events, [healthy]);
  await fleet.command('backend.update', { backend: 'a', weight: 5 });
  expect(fold.state.backends.get('a')?.health).toBe('healthy');
  await fleet.command('backend.update', { backend: 'a', url: 'http://10.1.1.1:80' });
  expect(fold.state.backends.get('a')?.health).toBe('unknown');
});

test('the fleet breaker needs most of the gateways that lately saw traffic, and half opens when its time has come', async () => {
  const fleet = newFleet();
  const { fold, events } = await fleet.start('s1', declared(['a']));
  const breaker = () => fold.state.backends.get('a')?.breaker;
  const until = fleet.clock.now() + 30_000;
  const gateways = ['gw-1', 'gw-2', 'gw-3'];
  await fleet.facts(events, [...gateways.map(started), ...gateways.map((gateway) => saw(gateway, 'a'))]);
  await fleet.facts(events, [tripped('gw-1', 'a', until)]);
  await fleet.command('backend.enable', { backend: 'a' });
  expect(breaker()).toBe('closed');
  await fleet.facts(events, [tripped('gw-2', 'a', until)]);
  await vi.waitFor(() => expect(breaker()).toBe('open'));
  fleet.clock.advance(30_100);
  await vi.waitFor(() => expect(breaker()).toBe('half_open'));
  const recovered = {
    type: 'breaker.recovered',
    subject: 'a',
    data: { backend: 'a', gateway: 'gw-1' },
  } as const;
  await fleet.facts(events, [recovered]);
  await vi.waitFor(() => expect(breaker()).toBe('closed'));
});

test('an open breaker half opens as soon as probes see the backend recover', async () => {
  const fleet = newFleet();
  const { fold, events } = await fleet.start('s1', declared(['a']));
  const breaker = () => fold.state.backends.get('a')?.breaker;
  await fleet.facts(events, [started('gw-1'), tripped('gw-1', 'a', fleet.clock.now() + 30_000)]);
  await vi.waitFor(() => expect(breaker()).toBe('open'));
  const healthy = {
    type: 'backend.became_healthy',
    subject: 'a',
    data: { backend: 'a', cause: '' },
  } as const;
  await fleet.facts(events, [healthy]);
  await vi.waitFor(() => expect(breaker()).toBe('half_open'));
});

test('a gateway that fails against most of its backends has no vote', async () => {
  const fleet = newFleet();
  const { fold, events } = await fleet.start('s1', declared(['a', 'b', 'c']));
  const until = fleet.clock.now() + 30_000;
  await fleet.facts(events, [started('gw-1'), started('gw-2'), saw('gw-1', 'a', 'b', 'c')]);
  await fleet.facts(
    events,
    ['a', 'b', 'c'].map((backend) => tripped('gw-1', backend, until)),
  );
  await fleet.command('backend.enable', { backend: 'a' });
  expect(fold.state.backends.get('c')?.breaker).toBe('closed');
});

test('a standby takes over when the leader is gone, and a leader that was deposed cannot write', async () => {
  const fleet = newFleet();
  const first = await fleet.start('s1', declared(['a']));
  const second = await fleet.start('s2');
  expect(second.fold.state.leader).toEqual({ scheduler: 's1', term: 1 });
  // The first stands still, as a frozen process would: only its lease runs out.
  const acquire = vi.spyOn(first.context.store, 'acquireLease');
  const lease = acquire.getMockImplementation();
  acquire.mockImplementation(async (name, owner, ttlMs) => {
    if (owner === 's1') return { held: true, owner };
    return (await lease?.(name, owner, ttlMs)) ?? { held: true, owner };
  });
  fleet.clock.advance(6000);
  await vi.waitFor(() => expect(second.fold.state.leader).toEqual({ scheduler: 's2', term: 2 }));
  expect(fleet.storage.records.filter(({ subject }) => subject === CONTROL_SUBJECT)).toHaveLength(2);
  acquire.mockRestore();
});

test('while the log is away commands are refused with a reason, and accepted again when it is back', async () => {
  const fleet = newFleet();
  const { events } = await fleet.start('s1', declared(['a']));
  events.setConnected(false);
  expect(await fleet.command('backend.disable', { backend: 'a' })).toMatchObject({
    ok: false,
    problem: { code: 'log_unavailable', status: 503 },
  });
  events.setConnected(true);
  expect(await fleet.command('backend.disable', { backend: 'a' })).toMatchObject({ ok: true });
});
