import { SimulatedClock } from '@usher/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pass, ReservingFleet, settled, TestStore } from '../../testing/reservations.ts';

let clock: SimulatedClock;
let store: TestStore;
beforeEach(() => {
  clock = new SimulatedClock();
  store = new TestStore(clock);
});
afterEach(() => store.close());

const fleetOf = (max: number, backends = { b1: 2 }) =>
  new ReservingFleet({ clock, pool: { queue: { max, timeoutMs: 5_000 } }, backends });
const FULL = { outcome: 'full', short: { b1: 'milliCpu' } };

test('requests wait in order of arrival until something is given back', async () => {
  const gateway = fleetOf(10).gateway('gw-1', store.line());
  const held = [await gateway.granted(), await gateway.granted()];
  const keys = Array.from({ length: 6 }, () => gateway.ask());
  await settled(() => gateway.seen.waiting === 6);
  for (const [index, key] of keys.entries()) {
    gateway.giveBack(held[index]!);
    await settled(() => gateway.answers.has(key));
    expect(keys.filter((each) => gateway.answers.has(each))).toEqual(keys.slice(0, index + 1));
    const answer = gateway.answers.get(key)!;
    if (answer.outcome === 'granted') held.push(answer.allocation);
  }
  expect(gateway.seen.counts.waits.reduce((a, b) => a + b)).toBe(6);
});

test('who asks later takes nothing from those who wait, even if it needs less', async () => {
  const gateway = fleetOf(10).gateway('gw-1', store.line());
  const [first, second] = [await gateway.granted(), await gateway.granted()];
  const large = gateway.ask({ tier: 'two' });
  await settled(() => gateway.seen.waiting === 1);
  gateway.giveBack(first);
  const small = gateway.ask();
  await settled(async () => gateway.seen.waiting === 2 && (await store.held()).length === 1);
  gateway.giveBack(second);
  await settled(() => gateway.answers.has(large));
  expect(gateway.answers.get(large)).toMatchObject({ outcome: 'granted' });
  expect(gateway.answers.has(small)).toBe(false);
});

test('what another gateway gives back is noticed soon', async () => {
  const fleet = fleetOf(10);
  const [one, two] = [fleet.gateway('gw-1', store.line()), fleet.gateway('gw-2', store.line())];
  const held = await one.granted({ tier: 'two' });
  const key = two.ask();
  await settled(() => two.seen.waiting === 1);
  one.giveBack(held);
  await pass(clock, 100);
  expect(two.answers.get(key)).toMatchObject({ outcome: 'granted' });
});

test('a request waits as long as the pool lets it, and hears then what there was too little of', async () => {
  const gateway = fleetOf(10).gateway('gw-1', store.line());
  await gateway.granted({ tier: 'two' });
  const key = gateway.ask();
  await pass(clock, 4_900);
  expect(gateway.answers.has(key)).toBe(false);
  await pass(clock, 200);
  expect(gateway.answers.get(key)).toEqual(FULL);
  expect(gateway.seen.counts.refusals.timeout).toBe(1);
  expect(await store.held()).toEqual(['b1']);
});

test('no more wait than the pool lets, and none where there are other candidates', async () => {
  const fleet = fleetOf(2);
  const gateway = fleet.gateway('gw-1', store.line());
  await gateway.granted({ tier: 'two' });
  for (let index = 0; index < 2; index++) gateway.ask();
  await settled(() => gateway.seen.waiting === 2);
  expect(await gateway.reserve()).toMatchObject({ outcome: 'full' });
  const other = fleet.gateway('gw-2', store.line());
  expect(await other.reserve({ more: true })).toEqual(FULL);
});

test('who leaves the line, or whose worker dies, does not hold up those behind', async () => {
  const gateway = fleetOf(10).gateway('gw-1', store.line());
  const held = await gateway.granted({ tier: 'two' });
  const [first, second, third] = [gateway.ask(), gateway.ask({}, 1), gateway.ask({ tier: 'two' })];
  await settled(() => gateway.seen.waiting === 3);
  gateway.withdraw(first);
  gateway.allocations.forgetWorker(1);
  gateway.giveBack(held);
  await settled(() => gateway.answers.has(third));
  expect(gateway.answers.get(third)).toMatchObject({ outcome: 'granted' });
  expect(gateway.answers.has(first) || gateway.answers.has(second)).toBe(false);
  expect(await store.held()).toEqual(['b1']);
});

test('a session that has what it needs does not wait behind others', async () => {
  const pool = { reserve: 'session', queue: { max: 9, timeoutMs: 5_000 } } as const;
  const gateway = new ReservingFleet({ clock, pool, backends: { b1: 2 } }).gateway('gw-1', store.line());
  const held = await gateway.granted({ session: 's', tier: 'two' });
  gateway.ask({ session: 't' });
  await settled(() => gateway.seen.waiting === 1);
  expect(await gateway.granted({ session: 's', tier: 'two' })).toBe(held);
});

test('those who wait are refused when the gateway stops', async () => {
  const gateway = fleetOf(10).gateway('gw-1', store.line());
  await gateway.granted({ tier: 'two' });
  const key = gateway.ask();
  await settled(() => gateway.seen.waiting === 1);
  await gateway.allocations.stop();
  expect(gateway.answers.get(key)).toEqual({ outcome: 'closed', why: 'stopping' });
});

test('of a thousand who wait for seven places all are served, and never more than seven at a time', async () => {
  const fleet = fleetOf(1_000, { b1: 7 });
  const gateways = ['gw-1', 'gw-2', 'gw-3', 'gw-4'].map((name) => fleet.gateway(name, store.line()));
  const keys = Array.from({ length: 1_000 }, (_, index) => {
    const gateway = gateways[index % 4]!;
    return { gateway, key: gateway.ask() };
  });
  const done = new Set<string>();
  for (let round = 0; done.size < 1_000; round++) {
    expect((await store.held()).length).toBeLessThanOrEqual(7);
    for (const { gateway, key } of keys) {
      const answer = gateway.answers.get(key);
      if (answer === undefined || done.has(`${gateway.name} ${key}`)) continue;
      if (answer.outcome !== 'granted') throw new Error(JSON.stringify(answer));
      done.add(`${gateway.name} ${key}`);
      gateway.giveBack(answer.allocation);
    }
    await pass(clock, 1);
  }
  await settled(async () => (await store.held()).length === 0);
});
