import { auditReservations } from '@usher/actors';
import { SimulatedClock } from '@usher/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pass, ReservingFleet, settled, TestStore } from '../../testing/reservations.ts';

let clock: SimulatedClock;
let store: TestStore;
beforeEach(() => {
  clock = new SimulatedClock();
  store = new TestStore(clock);
});
afterEach(() => store.close());

const fleetOf = (options: Partial<ConstructorParameters<typeof ReservingFleet>[0]> = {}) =>
  new ReservingFleet({ clock, backends: { b1: 2 }, ...options });
const HOUR_MS = 3_600_000;
const FULL = { outcome: 'full', short: { b1: 'milliCpu' } };

describe('a request', () => {
  test('is granted what its tier needs as long as there is room, and what it gives back others get', async () => {
    const fleet = fleetOf();
    const [one, two] = [fleet.gateway('gw-1', store.line()), fleet.gateway('gw-2', store.line())];
    const first = await one.granted();
    await two.granted();
    expect(await one.reserve()).toEqual(FULL);
    expect(await two.reserve({ tier: 'two' })).toEqual(FULL);
    one.giveBack(first);
    await settled(async () => (await store.held()).length === 1);
    expect(await two.reserve()).toMatchObject({ outcome: 'granted', backend: 'b1' });
  });

  test('gets the best candidate that has room and is none of those that are gone', async () => {
    const fleet = fleetOf({ backends: { b1: 1, b2: 4, b3: undefined } });
    const gateway = fleet.gateway('gw-1', store.line());
    const candidates = ['b9', 'b3', 'b1', 'b2'];
    expect(await gateway.reserve({ candidates })).toMatchObject({ backend: 'b1' });
    expect(await gateway.reserve({ candidates })).toMatchObject({ backend: 'b2' });
    fleet.append({ type: 'backend.disabled', subject: 'b2', data: { backend: 'b2' } });
    expect(await gateway.reserve({ candidates })).toEqual({
      outcome: 'full',
      short: { b1: 'milliCpu', b3: 'milliCpu' },
    });
  });

  test('of a pool or a tier that there is not is told so, and of a pool that reserves no more is let in', async () => {
    const fleet = fleetOf();
    const gateway = fleet.gateway('gw-1', store.line());
    expect(await gateway.reserve({ tier: 'three' })).toEqual({ outcome: 'closed', why: 'unknown' });
    expect(await gateway.reserve({ pool: 'nobody' })).toEqual({ outcome: 'closed', why: 'unknown' });
    const held = await gateway.granted();
    fleet.change({ reserve: 'none' });
    for (let index = 0; index < 5; index++) await gateway.granted();
    expect(await store.held()).toEqual(['b1']);
    gateway.giveBack(held);
    await settled(async () => (await store.held()).length === 0);
  });

  test('keeps what it has for as long as it takes', async () => {
    const fleet = fleetOf();
    const [one, two] = [fleet.gateway('gw-1', store.line()), fleet.gateway('gw-2', store.line())];
    await one.granted({ tier: 'two' });
    await pass(clock, 10 * 60_000);
    expect(await two.reserve()).toEqual(FULL);
    expect(fleet.told('allocation.expired')).toEqual([]);
  });

  test.each([-HOUR_MS, HOUR_MS])('keeps what it has when the clock is set by %d ms', async (byMs) => {
    const fleet = fleetOf();
    const [one, two] = [fleet.gateway('gw-1', store.line()), fleet.gateway('gw-2', store.line())];
    await one.granted({ tier: 'two' });
    clock.set(byMs);
    await pass(clock, 2 * 60_000);
    expect(await two.reserve()).toEqual(FULL);
    expect(fleet.told('allocation.expired')).toEqual([]);
  });

  test('that is withdrawn is not answered, and leaves nothing behind', async () => {
    const gateway = fleetOf().gateway('gw-1', store.line());
    await settled(() => gateway.allocations.seen().get('web') !== undefined);
    const key = gateway.ask();
    gateway.withdraw(key);
    await pass(clock, 1_000);
    expect(gateway.answers.has(key)).toBe(false);
    expect(await store.held()).toEqual([]);
    expect(gateway.seen.held).toBe(0);
  });
});

describe('what a gateway holds', () => {
  test('is in the log with the steps of the store, by which no capacity was exceeded', async () => {
    const fleet = fleetOf();
    const gateways = ['gw-1', 'gw-2', 'gw-3'].map((name) => fleet.gateway(name, store.line()));
    for (let round = 0; round < 30; round++) {
      const keys = gateways.map((gateway) => [gateway, gateway.ask()] as const);
      await settled(() => keys.every(([gateway, key]) => gateway.answers.has(key)));
      expect(fleet.logged()).toHaveLength(2);
      for (const [gateway, key] of keys) {
        const answer = gateway.answers.get(key);
        if (answer?.outcome === 'granted') gateway.giveBack(answer.allocation);
      }
      await settled(async () => (await store.held()).length === 0 && fleet.logged().length === 0);
    }
    expect(auditReservations(fleet.history)).toMatchObject({
      pools: [{ pool: 'web', runs: 1, steps: 120, missing: 0 }],
      violations: [],
      proven: true,
    });
  });

  test('is given back when the worker that used it dies', async () => {
    const gateway = fleetOf({ backends: { b1: 9 } }).gateway('gw-1', store.line());
    await gateway.granted({}, 0);
    await gateway.granted({}, 1);
    const key = gateway.ask({}, 0);
    gateway.allocations.forgetWorker(0);
    await settled(async () => (await store.held()).length === 1);
    expect(gateway.answers.has(key)).toBe(false);
    expect(gateway.seen.held).toBe(1);
  });

  test('is given back once, whoever says so how often', async () => {
    const fleet = fleetOf();
    const gateway = fleet.gateway('gw-1', store.line());
    const held = await gateway.granted({}, 0);
    gateway.giveBack(held, 1);
    expect(await store.held()).toEqual(['b1']);
    gateway.giveBack(held, 0);
    gateway.giveBack(held, 0);
    gateway.giveBack('nothing', 0);
    await settled(async () => (await store.held()).length === 0);
    expect(fleet.told('allocation.released')).toHaveLength(1);
  });

  test('is given back when it stops, and nothing is granted any more', async () => {
    const fleet = fleetOf({ backends: { b1: 9 } });
    const gateway = fleet.gateway('gw-1', store.line());
    for (let index = 0; index < 5; index++) await gateway.granted();
    await gateway.allocations.stop();
    expect(await store.held()).toEqual([]);
    expect(fleet.logged()).toEqual([]);
    expect(await gateway.reserve()).toEqual({ outcome: 'closed', why: 'stopping' });
  });

  test('is free for others soon after it died without a word, and the log says so', async () => {
    const fleet = fleetOf();
    const line = store.line();
    const [dying, other] = [fleet.gateway('gw-1', line), fleet.gateway('gw-2', store.line())];
    await dying.granted({ tier: 'two' });
    line.line = 'down';
    dying.logAway = true;
    await pass(clock, 9_000);
    expect(await other.reserve()).toEqual(FULL);
    await pass(clock, 3_000);
    expect(await other.reserve()).toMatchObject({ outcome: 'granted' });
    expect(fleet.told('allocation.expired')).toHaveLength(1);
    expect(fleet.logged()).toHaveLength(1);
    expect(auditReservations(fleet.history).proven).toBe(true);
  });

  test('is what the log says, also after an earlier life of which it knows nothing', async () => {
    const fleet = fleetOf();
    const line = store.line();
    const earlier = fleet.gateway('gw-1', line);
    await earlier.granted();
    line.line = 'down';
    earlier.logAway = true;
    const gateway = fleet.gateway('gw-1', store.line());
    await settled(async () => (await store.held()).length === 0 && fleet.logged().length === 0);
    await gateway.granted({ tier: 'two' });
    expect(fleet.logged()).toHaveLength(1);
    expect(auditReservations(fleet.history).proven).toBe(true);
  });

  test('is told again when the fleet took it for lost', async () => {
    const fleet = fleetOf();
    const gateway = fleet.gateway('gw-1', store.line());
    await gateway.granted();
    fleet.append({ type: 'gateway.lost', subject: 'gw-1', data: { gateway: 'gw-1', cause: 'silent' } });
    expect(fleet.logged()).toHaveLength(1);
    expect(auditReservations(fleet.history).proven).toBe(true);
  });

  test('is told when the log takes something again', async () => {
    const fleet = fleetOf();
    const gateway = fleet.gateway('gw-1', store.line());
    gateway.logAway = true;
    const held = await gateway.granted();
    gateway.giveBack(await gateway.granted());
    await settled(async () => (await store.held()).length === 1);
    expect(gateway.seen.untold).toBe(1);
    gateway.logAway = false;
    await pass(clock, 1_000);
    expect(fleet.logged()).toEqual([held]);
    expect(auditReservations(fleet.history)).toMatchObject({ violations: [] });
  });
});

test('a gateway that leaves has no timer left', async () => {
  const fleet = fleetOf();
  const before = clock.timers;
  const gateway = fleet.gateway('gw-1', store.line());
  await gateway.granted();
  await gateway.allocations.stop();
  expect(clock.timers).toBe(before);
});
