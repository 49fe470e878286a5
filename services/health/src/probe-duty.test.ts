import type { Service } from '@usher/ports';
import { expect, onTestFinished, test } from 'vitest';
import { startHealth } from './health-service.ts';
import { poolAdded, registered, settled, TestFleet } from './test-fleet.ts';
import { DOWN, ScriptedProber } from './test-prober.ts';

async function two() {
  const fleet = new TestFleet();
  await fleet.write(poolAdded('web'), registered('b1', 1));
  const open = async (instance: string) => {
    const prober = new ScriptedProber();
    const process = fleet.open(instance);
    await settled();
    const service = startHealth(process.context, { prober });
    onTestFinished(() => service.stop());
    await settled();
    return { prober, process, service };
  };
  const first = await open('one');
  const second = await open('two');
  return { fleet, first, second };
}

test('of several processes one probes', async () => {
  const { fleet, first, second } = await two();
  await fleet.write(registered('b2', 2));
  await fleet.pass(30_000);
  expect(first.prober.take(1)).toBeGreaterThan(0);
  expect(first.prober.take(2)).toBeGreaterThan(0);
  expect(second.prober.asked).toEqual([]);
  expect(await second.process.metrics.read('usher_health_acting')).toBe(0);
});

test('when it stops, the other takes over within a second or so', async () => {
  const { fleet, first, second } = await two();
  await first.service.stop();
  await fleet.pass(1100);
  expect(await second.process.metrics.read('usher_health_acting')).toBe(1);
  await fleet.pass(5000);
  expect(second.prober.take(1)).toBeGreaterThan(0);
});

test('without the store the one that probes goes on, and says what it cannot know', async () => {
  const { fleet, first } = await two();
  fleet.store.connected = false;
  await fleet.pass(30_000);
  expect(first.prober.take(1)).toBeGreaterThan(3);
  expect(first.service.fault()).toContain('store');
  fleet.store.connected = true;
  await fleet.pass(1100);
  expect(first.service.fault()).toBeUndefined();
});

test('without the store the other probes too after a while, and steps back when the store is there again', async () => {
  const { fleet, second } = await two();
  fleet.store.connected = false;
  await fleet.pass(3000);
  expect(await second.process.metrics.read('usher_health_acting')).toBe(0);
  await fleet.pass(10_000);
  expect(second.prober.take(1)).toBeGreaterThan(0);
  fleet.store.connected = true;
  await fleet.pass(2000);
  second.prober.take(1);
  await fleet.pass(20_000);
  expect(second.prober.take(1)).toBe(0);
});

test('without the store the other probes too, also when its clock is set back meanwhile', async () => {
  const { fleet, second } = await two();
  fleet.store.connected = false;
  fleet.clock.set(-3_600_000);
  await fleet.pass(13_000);
  expect(second.prober.take(1)).toBeGreaterThan(0);
});

test('two that see different things take turns at the pace of their probes', async () => {
  const { fleet, first } = await two();
  fleet.store.connected = false;
  await fleet.pass(15_000);
  first.prober.answers.set(1, DOWN);
  await fleet.pass(30_000);
  const transitions = await fleet.transitions('b1');
  expect(transitions.length).toBeGreaterThan(2);
  expect(transitions.length).toBeLessThan(20);
});

test('two that probe at once write each change once', async () => {
  const { fleet, first, second } = await two();
  fleet.store.connected = false;
  await fleet.pass(15_000);
  for (const { prober } of [first, second]) prober.answers.set(1, DOWN);
  await fleet.pass(20_000);
  for (const { prober } of [first, second]) prober.answers.set(1, 1);
  await fleet.pass(20_000);
  expect(await fleet.transitions('b1')).toEqual(['healthy', 'unhealthy', 'healthy']);
});

test('a process that starts without a store probes at once', async () => {
  const fleet = new TestFleet();
  fleet.store.connected = false;
  await fleet.write(poolAdded('web'), registered('b1', 1));
  const process = fleet.open('one');
  await settled();
  const prober = new ScriptedProber();
  const service = startHealth(process.context, { prober });
  onTestFinished(() => service.stop());
  await settled();
  expect(process.fold.state.backends.get('b1')?.health).toBe('healthy');
});

test('a process that does not know any more whether it is its turn waits with its probes', async () => {
  const { fleet, first } = await two();
  await fleet.pass(6_000);
  const { promise, resolve } = Promise.withResolvers<void>();
  fleet.store.held = promise;
  await fleet.pass(6_000);
  first.prober.take(1);
  await fleet.pass(20_000);
  expect(first.prober.take(1)).toBe(0);
  fleet.store.held = undefined;
  resolve();
  await fleet.pass(6_000);
  expect(first.prober.take(1)).toBeGreaterThan(0);
});

test('however many processes there are, a backend is probed once an interval, also while one takes over', async () => {
  const fleet = new TestFleet();
  const backends = Array.from({ length: 50 }, (_, index) => registered(`b${index}`, index + 1));
  await fleet.write(poolAdded('web'), ...backends);
  const probers: ScriptedProber[] = [];
  const services: Service[] = [];
  for (const [index, instance] of ['one', 'two', 'three', 'four'].entries()) {
    const prober = new ScriptedProber();
    const process = fleet.open(instance, index + 1);
    await settled();
    const service = startHealth(process.context, { prober });
    onTestFinished(() => service.stop());
    await settled();
    probers.push(prober);
    services.push(service);
  }
  /** Probes of all processes within so many intervals, for each of them and each backend. */
  const rate = async (intervals: number) => {
    for (const { asked } of probers) asked.length = 0;
    await fleet.pass(intervals * 5_000);
    return probers.reduce((sum, { asked }) => sum + asked.length, 0) / intervals / backends.length;
  };
  await fleet.pass(5_000);
  expect(await rate(8)).toBeLessThan(1.3);
  await services[0]!.stop();
  expect(await rate(4)).toBeLessThan(1.3);
  expect(await rate(4)).toBeGreaterThan(0.95);
});
