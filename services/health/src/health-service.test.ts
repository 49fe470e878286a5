import { LogUnavailableError } from '@usher/ports';
import { expect, onTestFinished, test } from 'vitest';
import { type HealthOptions, startHealth } from './health-service.ts';
import {
  moved,
  poolAdded,
  poolUpdated,
  registered,
  ScriptedProber,
  settled,
  TCP_CHECK,
  TestFleet,
} from './test-fleet.ts';

const DOWN = 'connection refused';

/** A fleet with one process that probes. */
async function start(options: HealthOptions & { readonly seed?: number } = {}) {
  const fleet = new TestFleet();
  await fleet.write(poolAdded('web'));
  const prober = new ScriptedProber();
  const process = fleet.open('one', options.seed);
  await settled();
  const service = startHealth(process.context, { prober });
  onTestFinished(() => service.stop());
  await settled();
  const health = (backend: string) => process.fold.state.backends.get(backend)?.health;
  return { fleet, prober, process, service, health };
}

test('a backend that is added is probed at once and admitted by its first success', async () => {
  const { fleet, health, prober } = await start();
  await fleet.write(registered('b1', 1));
  expect(prober.take(1)).toBe(1);
  expect(health('b1')).toBe('healthy');
});

test('backends that were there before are probed from the start', async () => {
  const fleet = new TestFleet();
  await fleet.write(poolAdded('web'), registered('b1', 1), registered('b2', 2));
  const process = fleet.open('one');
  await settled();
  const prober = new ScriptedProber();
  const service = startHealth(process.context, { prober });
  onTestFinished(() => service.stop());
  await settled();
  expect([prober.take(1), prober.take(2)]).toEqual([1, 1]);
  expect(process.fold.state.backends.get('b2')?.health).toBe('healthy');
});

test('it becomes unhealthy after as many failures as the pool says, with the cause, and healthy again after as many successes', async () => {
  const { fleet, health, process, prober } = await start();
  await fleet.write(registered('b1', 1));
  prober.answers.set(1, DOWN);
  prober.take(1);
  await fleet.pass(20_000);
  expect(health('b1')).toBe('unhealthy');
  expect(process.fold.state.backends.get('b1')?.healthCause).toBe(`3 probes in a row failed: ${DOWN}`);
  prober.answers.set(1, 1);
  await fleet.pass(20_000);
  expect(health('b1')).toBe('healthy');
  expect(await fleet.transitions('b1')).toEqual(['healthy', 'unhealthy', 'healthy']);
});

test('two failures between successes change nothing', async () => {
  const { fleet, prober } = await start();
  await fleet.write(registered('b1', 1));
  for (let round = 0; round < 4; round++) {
    prober.take(1);
    prober.answers.set(1, DOWN);
    while (prober.take(1) === 0) await fleet.pass(20);
    while (prober.take(1) === 0) await fleet.pass(20);
    prober.answers.set(1, 1);
    while (prober.take(1) === 0) await fleet.pass(20);
  }
  expect(await fleet.transitions('b1')).toEqual(['healthy']);
});

test('probes come at the interval, faster once one has failed', async () => {
  const { fleet, prober } = await start();
  await fleet.write(registered('b1', 1));
  await fleet.pass(60_000);
  const regular = prober.take(1);
  expect(regular).toBeGreaterThanOrEqual(11);
  expect(regular).toBeLessThanOrEqual(15);
  prober.answers.set(1, DOWN);
  while (prober.take(1) === 0) await fleet.pass(20);
  await fleet.pass(2300);
  expect(prober.take(1)).toBe(2);
});

test('a backend has one probe in flight, however long it takes', async () => {
  const { fleet, prober } = await start();
  prober.held = true;
  await fleet.write(registered('b1', 1));
  await fleet.pass(30_000);
  expect(prober.take(1)).toBe(1);
  prober.release();
  await fleet.pass(6000);
  expect(prober.take(1)).toBeGreaterThan(0);
  expect(prober.inFlightMax).toBe(1);
});

test('first probes of backends whose health is known are spread over the interval', async () => {
  const fleet = new TestFleet();
  const backends = Array.from({ length: 50 }, (_, index) => registered(`b${index}`, 1000 + index));
  await fleet.write(poolAdded('web'), ...backends);
  const first = fleet.open('one');
  const prober = new ScriptedProber();
  await settled();
  const before = startHealth(first.context, { prober });
  await settled();
  await before.stop();
  const second = fleet.open('two');
  await settled();
  prober.asked.length = 0;
  const after = startHealth(second.context, { prober });
  onTestFinished(() => after.stop());
  await fleet.pass(2500);
  expect(prober.asked.length).toBeGreaterThan(10);
  expect(prober.asked.length).toBeLessThan(40);
  await fleet.pass(2500);
  expect(new Set(prober.asked).size).toBe(50);
});

test('no more than a limited number of backends is probed at a time, and all in the end', async () => {
  const { fleet, prober } = await start();
  prober.held = true;
  await fleet.write(...Array.from({ length: 1000 }, (_, index) => registered(`b${index}`, 1000 + index)));
  expect(prober.asked).toHaveLength(512);
  prober.release();
  await settled();
  expect(new Set(prober.asked).size).toBe(1000);
});

test('a backend that is removed while it waits for its turn is not probed', async () => {
  const { fleet, prober } = await start();
  prober.held = true;
  await fleet.write(...Array.from({ length: 514 }, (_, index) => registered(`b${index}`, 1000 + index)));
  await fleet.write({ type: 'backend.removed', subject: 'b512', data: { backend: 'b512' } });
  prober.release();
  await settled();
  expect([prober.take(1512), prober.take(1513)]).toEqual([0, 1]);
});

test('a backend that moves is unknown until its new address has answered', async () => {
  const { fleet, health, prober } = await start();
  await fleet.write(registered('b1', 1));
  prober.answers.set(2, DOWN);
  prober.take(1);
  await fleet.write(moved('b1', 2));
  expect(health('b1')).toBe('unknown');
  expect(prober.take(2)).toBe(1);
  prober.answers.set(2, 1);
  await fleet.pass(1200);
  expect(health('b1')).toBe('healthy');
  expect(prober.take(1)).toBe(0);
});

test('a backend whose health was reset is probed at once, even at the same address', async () => {
  const { fleet, health, prober } = await start();
  await fleet.write(registered('b1', 1));
  prober.take(1);
  await fleet.write(moved('b1', 1));
  expect(prober.take(1)).toBe(1);
  expect(health('b1')).toBe('healthy');
});

test('what a probe of the old address finds is void after a move', async () => {
  const { fleet, health, prober } = await start();
  prober.held = true;
  await fleet.write(registered('b1', 1));
  prober.answers.set(2, DOWN);
  await fleet.write(moved('b1', 2));
  expect([prober.inFlight.get(1), prober.inFlight.get(2)]).toEqual([0, 1]);
  prober.release();
  await settled();
  expect(health('b1')).toBe('unknown');
  expect(await fleet.transitions('b1')).toEqual([]);
});

test('a removed backend is probed no more, and leaves no timer', async () => {
  const { fleet, prober } = await start();
  const idle = fleet.clock.timers;
  await fleet.write(registered('b1', 1));
  expect(fleet.clock.timers).toBe(idle + 1);
  await fleet.write({ type: 'backend.removed', subject: 'b1', data: { backend: 'b1' } });
  prober.take(1);
  await fleet.pass(20_000);
  expect(prober.take(1)).toBe(0);
  expect(fleet.clock.timers).toBe(idle);
});

test('draining and disabled backends are still watched', async () => {
  const { fleet, health, prober } = await start();
  await fleet.write(registered('b1', 1), registered('b2', 2));
  await fleet.write(
    { type: 'backend.drain_started', subject: 'b1', data: { backend: 'b1', deadlineMs: 1, remove: false } },
    { type: 'backend.disabled', subject: 'b2', data: { backend: 'b2' } },
  );
  prober.answers.set(1, DOWN).set(2, DOWN);
  await fleet.pass(20_000);
  expect([health('b1'), health('b2')]).toEqual(['unhealthy', 'unhealthy']);
});

test('a change of the pool takes effect for its backends, and switching probes off ends them', async () => {
  const { fleet, prober } = await start();
  await fleet.write(registered('b1', 1));
  await fleet.write(poolUpdated('web', { ...TCP_CHECK, intervalMs: 1000 }));
  await fleet.pass(1000);
  prober.take(1);
  await fleet.pass(10_000);
  expect(prober.take(1)).toBeGreaterThanOrEqual(8);
  await fleet.write(poolUpdated('web', { type: 'none' }));
  await fleet.pass(10_000);
  expect(prober.take(1)).toBe(0);
});

test('a pool written again unchanged disturbs no probe', async () => {
  const { fleet, prober } = await start();
  prober.held = true;
  await fleet.write(registered('b1', 1));
  await fleet.write(poolUpdated('web', TCP_CHECK));
  expect(prober.take(1)).toBe(1);
});

test('while the log is away the last state is kept, and written once when it returns', async () => {
  const { fleet, health, prober, process, service } = await start();
  await fleet.write(registered('b1', 1), registered('b2', 2));
  process.events.setConnected(false);
  prober.answers.set(1, DOWN).set(2, DOWN);
  await fleet.pass(20_000);
  expect(service.fault()).toContain('2 to be written');
  prober.answers.set(2, 1);
  await fleet.pass(20_000);
  process.events.setConnected(true);
  await settled();
  expect([health('b1'), health('b2')]).toEqual(['unhealthy', 'healthy']);
  expect(await fleet.transitions('b1')).toEqual(['healthy', 'unhealthy']);
  expect(await fleet.transitions('b2')).toEqual(['healthy']);
  await fleet.pass(6000);
  expect(service.fault()).toBeUndefined();
});

test('a change that the log may or may not have stored is sent again under the same id', async () => {
  const { fleet, prober, process } = await start();
  await fleet.write(registered('b1', 1));
  const append = process.events.append.bind(process.events);
  const ids: string[] = [];
  process.events.append = async (draft) => {
    ids.push(draft.events[0]!.id);
    if (ids.length === 1) throw new LogUnavailableError('no answer in time');
    return append(draft);
  };
  prober.answers.set(1, DOWN);
  await fleet.pass(20_000);
  expect(ids).toEqual([ids[0], ids[0]]);
  expect(await fleet.transitions('b1')).toEqual(['healthy', 'unhealthy']);
});

test('a change that was stored though its answer was lost is not written twice', async () => {
  const { fleet, prober, process, service } = await start();
  await fleet.write(registered('b1', 1));
  const append = process.events.append.bind(process.events);
  process.events.append = async (draft) => {
    process.lag();
    await append(draft);
    process.events.setConnected(false);
    throw new LogUnavailableError('disconnected');
  };
  prober.answers.set(1, DOWN);
  await fleet.pass(20_000);
  expect(service.fault()).toContain('1 to be written');
  process.events.append = append;
  process.events.setConnected(true);
  await settled();
  process.catchUp();
  await settled();
  expect(service.fault()).toBeUndefined();
  await fleet.pass(20_000);
  expect(await fleet.transitions('b1')).toEqual(['healthy', 'unhealthy']);
});

test('while its own change is not folded yet, it is not written again', async () => {
  const { fleet, prober, process } = await start();
  await fleet.write(registered('b1', 1));
  process.lag();
  prober.answers.set(1, DOWN);
  await fleet.pass(60_000);
  process.catchUp();
  await fleet.pass(10_000);
  expect(await fleet.transitions('b1')).toEqual(['healthy', 'unhealthy']);
});

test('when somebody else writes first, nothing is written until there is reason to', async () => {
  const { fleet, prober, process, health } = await start();
  await fleet.write(registered('b1', 1));
  const lastOf = process.events.lastOf.bind(process.events);
  let raced = false;
  process.events.lastOf = async (subject) => {
    const position = await lastOf(subject);
    if (!raced) {
      raced = true;
      process.lag();
      await fleet.rival('backend.became_unhealthy', 'b1');
    }
    return position;
  };
  prober.answers.set(1, DOWN);
  await fleet.pass(30_000);
  expect(raced).toBe(true);
  process.catchUp();
  await fleet.pass(10_000);
  expect(await fleet.transitions('b1')).toEqual(['healthy', 'unhealthy']);
  prober.answers.set(1, 1);
  await fleet.pass(30_000);
  expect(health('b1')).toBe('healthy');
});

test('what another prober found is contradicted by later probes only', async () => {
  const { fleet, prober } = await start();
  await fleet.write(registered('b1', 1));
  await fleet.pass(30_000);
  await fleet.rival('backend.became_unhealthy', 'b1');
  expect(await fleet.transitions('b1')).toEqual(['healthy', 'unhealthy']);
  prober.take(1);
  await fleet.pass(7000);
  expect(prober.take(1)).toBeGreaterThanOrEqual(2);
  expect(await fleet.transitions('b1')).toEqual(['healthy', 'unhealthy', 'healthy']);
});

test('latency is told when it has changed enough, and not often', async () => {
  const { fleet, prober, process } = await start();
  prober.answers.set(1, 10);
  await fleet.write(registered('b1', 1));
  await settled();
  expect(process.facts).toEqual([
    { subject: 'usher.events.health.b1.latency', data: { backend: 'b1', latencyMs: 10 } },
  ]);
  prober.answers.set(1, 11);
  await fleet.pass(60_000);
  expect(process.facts).toHaveLength(1);
  prober.answers.set(1, 100);
  await fleet.pass(60_000);
  expect(process.facts.length).toBeGreaterThan(1);
  expect(process.facts.length).toBeLessThanOrEqual(7);
  prober.answers.set(1, DOWN);
  const before = process.facts.length;
  await fleet.pass(60_000);
  expect(process.facts).toHaveLength(before);
});

test('a full outbox loses no latency for good', async () => {
  const { fleet, prober, process } = await start();
  process.outboxFull = true;
  prober.answers.set(1, 10);
  await fleet.write(registered('b1', 1));
  expect(process.facts).toEqual([]);
  process.outboxFull = false;
  await fleet.pass(6000);
  expect(process.facts).toHaveLength(1);
});

test('metrics count probes by result and show who is up', async () => {
  const { fleet, prober, process } = await start();
  await fleet.write(registered('b1', 1), registered('b2', 2));
  prober.answers.set(1, DOWN).set(2, 'timeout');
  await fleet.pass(20_000);
  const read = (result: string, backend: string) =>
    process.metrics.read('usher_health_probes_total', { result, backend, pool: 'web' });
  expect(await read('ok', 'b1')).toBe(1);
  expect(await read('failed', 'b1')).toBeGreaterThanOrEqual(3);
  expect(await read('timed_out', 'b2')).toBeGreaterThanOrEqual(3);
  expect(await process.metrics.read('usher_health_backend_up', { backend: 'b1' })).toBe(0);
  expect(await process.metrics.read('usher_health_acting')).toBe(1);
});

test('after stopping, nothing is asked and no timer is left', async () => {
  const { fleet, prober, service } = await start();
  prober.held = true;
  await fleet.write(registered('b1', 1), registered('b2', 2));
  await service.stop();
  prober.asked.length = 0;
  await fleet.pass(20_000);
  expect(prober.asked).toEqual([]);
  expect(fleet.clock.timers).toBe(0);
  expect(await fleet.transitions('b1')).toEqual([]);
});
