import { expect, onTestFinished, test } from 'vitest';
import { startHealth } from './health-service.ts';
import { moved, poolAdded, poolUpdated, registered, settled, TCP_CHECK, TestFleet } from './test-fleet.ts';
import { DOWN, ScriptedProber } from './test-prober.ts';
import { startProbing } from './test-start.ts';

test('a backend that is added is probed at once and admitted by its first success', async () => {
  const { fleet, health, prober } = await startProbing();
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
  const { fleet, health, process, prober } = await startProbing();
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

test('a backend with several endpoints is healthy only while all of them are', async () => {
  const { fleet, health, process, prober } = await startProbing();
  prober.answers.set(2, DOWN);
  await fleet.write(registered('b1', 1, 'unknown', [2, 3, 3, 1]));
  expect([1, 2, 3].map((port) => prober.take(port))).toEqual([1, 1, 1]);
  expect(health('b1')).toBe('unknown');
  await fleet.pass(20_000);
  expect(health('b1')).toBe('unhealthy');
  const cause = `3 probes in a row failed: 127.0.0.1:2: ${DOWN}`;
  expect(process.fold.state.backends.get('b1')?.healthCause).toBe(cause);
  prober.answers.set(2, 5);
  await fleet.pass(20_000);
  expect(health('b1')).toBe('healthy');
  prober.answers.set(3, DOWN);
  await fleet.pass(20_000);
  expect(health('b1')).toBe('unhealthy');
});

test('two failures between successes change nothing', async () => {
  const { fleet, prober } = await startProbing();
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
  const { fleet, prober } = await startProbing();
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
  const { fleet, prober } = await startProbing();
  prober.held = true;
  await fleet.write(registered('b1', 1));
  await fleet.pass(30_000);
  expect(prober.take(1)).toBe(1);
  prober.release();
  await fleet.pass(6000);
  expect(prober.take(1)).toBeGreaterThan(0);
  expect(prober.inFlightMax).toBe(1);
});

test('a clock that is set back during a probe does not put the next one off until it has caught up', async () => {
  const { fleet, prober } = await startProbing();
  prober.held = true;
  await fleet.write(registered('b1', 1));
  expect(prober.take(1)).toBe(1);
  const { clock } = fleet;
  const now = clock.now.bind(clock);
  clock.now = () => now() - 3_600_000;
  prober.release();
  await fleet.pass(6_000);
  expect(prober.take(1)).toBeGreaterThan(0);
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
  const { fleet, prober } = await startProbing();
  prober.held = true;
  await fleet.write(...Array.from({ length: 1000 }, (_, index) => registered(`b${index}`, 1000 + index)));
  expect(prober.asked).toHaveLength(512);
  prober.release();
  await settled();
  expect(new Set(prober.asked).size).toBe(1000);
});

test('a backend that is removed while it waits for its turn is not probed', async () => {
  const { fleet, prober } = await startProbing();
  prober.held = true;
  await fleet.write(...Array.from({ length: 514 }, (_, index) => registered(`b${index}`, 1000 + index)));
  await fleet.write({ type: 'backend.removed', subject: 'b512', data: { backend: 'b512' } });
  prober.release();
  await settled();
  expect([prober.take(1512), prober.take(1513)]).toEqual([0, 1]);
});

test('a backend that moves is unknown until its new address has answered', async () => {
  const { fleet, health, prober } = await startProbing();
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
  const { fleet, health, prober } = await startProbing();
  await fleet.write(registered('b1', 1));
  prober.take(1);
  await fleet.write(moved('b1', 1));
  expect(prober.take(1)).toBe(1);
  expect(health('b1')).toBe('healthy');
});

test('what a probe of the old address finds is void after a move', async () => {
  const { fleet, health, prober } = await startProbing();
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
  const { fleet, prober } = await startProbing();
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
  const { fleet, health, prober } = await startProbing();
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
  const { fleet, prober } = await startProbing();
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
  const { fleet, prober } = await startProbing();
  prober.held = true;
  await fleet.write(registered('b1', 1));
  await fleet.write(poolUpdated('web', TCP_CHECK));
  expect(prober.take(1)).toBe(1);
});

test('metrics count probes by result and show who is up', async () => {
  const { fleet, prober, process } = await startProbing();
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
  const { fleet, prober, service } = await startProbing();
  prober.held = true;
  await fleet.write(registered('b1', 1), registered('b2', 2));
  await service.stop();
  prober.asked.length = 0;
  await fleet.pass(20_000);
  expect(prober.asked).toEqual([]);
  expect(fleet.clock.timers).toBe(0);
  expect(await fleet.transitions('b1')).toEqual([]);
});

test('after an outage of all, the first good probe of each admits it: within one interval', async () => {
  const { fleet, health, prober } = await startProbing();
  const ids = ['b1', 'b2', 'b3'];
  await fleet.write(...ids.map((id, index) => registered(id, index + 1)));
  for (const port of [1, 2, 3]) prober.answers.set(port, DOWN);
  await fleet.pass(600_000);
  expect(ids.map(health)).toEqual(['unhealthy', 'unhealthy', 'unhealthy']);
  for (const port of [1, 2, 3]) prober.answers.set(port, 1);
  await fleet.pass(TCP_CHECK.intervalMs);
  expect(ids.map(health)).toContain('healthy');
  await fleet.pass(2 * TCP_CHECK.intervalMs);
  expect(ids.map(health)).toEqual(['healthy', 'healthy', 'healthy']);
});

test('a backend that stays down while others are well is asked less and less often', async () => {
  const { fleet, prober } = await startProbing();
  await fleet.write(
    poolUpdated('web', { ...TCP_CHECK, downIntervalMs: 3 * TCP_CHECK.intervalMs }),
    registered('b1', 1),
    registered('b2', 2),
  );
  prober.answers.set(2, DOWN);
  await fleet.pass(400_000);
  prober.take(1);
  prober.take(2);
  await fleet.pass(60_000);
  expect(prober.take(1)).toBeGreaterThanOrEqual(12);
  expect(prober.take(2)).toBeLessThanOrEqual(6);
});
