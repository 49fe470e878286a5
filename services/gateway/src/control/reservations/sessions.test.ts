import { auditReservations } from '@usher/actors';
import { SimulatedClock } from '@usher/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pass, ReservingFleet, settled, TestStore } from '../../testing/reservations.ts';

const IDLE_MS = 30_000;

let clock: SimulatedClock;
let store: TestStore;
let fleet: ReservingFleet;
beforeEach(() => {
  clock = new SimulatedClock();
  store = new TestStore(clock);
  const pool = { reserve: 'session', reserveIdleMs: IDLE_MS } as const;
  fleet = new ReservingFleet({ clock, pool, backends: { b1: 2, b2: 2 } });
});
afterEach(() => store.close());

test('all requests of a session share one allocation for each tier, through whichever gateway they come', async () => {
  const [one, two] = [fleet.gateway('gw-1', store.line()), fleet.gateway('gw-2', store.line())];
  const held = await one.granted({ session: 's' });
  expect(await one.granted({ session: 's' }, 1)).toBe(held);
  expect(await two.granted({ session: 's' })).toBe(held);
  expect(await two.granted({ session: 'other' })).not.toBe(held);
  expect(await one.granted({ session: 's' })).toBe(held);
  expect(await one.reserve({ session: 's', tier: 'two' })).toMatchObject({ outcome: 'full' });
  expect(await store.held()).toEqual(['b1', 'b1']);
  expect(fleet.logged()).toHaveLength(2);
  expect(auditReservations(fleet.history).proven).toBe(true);
});

test('without a session a request has an allocation of its own', async () => {
  const gateway = fleet.gateway('gw-1', store.line());
  const held = await gateway.granted();
  expect(await gateway.granted({ session: '' })).not.toBe(held);
  gateway.giveBack(held);
  await settled(async () => (await store.held()).length === 1);
});

test('it stays between requests, and ends when none came for long enough', async () => {
  const gateway = fleet.gateway('gw-1', store.line());
  const held = await gateway.granted({ session: 's' });
  gateway.giveBack(held);
  await pass(clock, IDLE_MS - 1_000);
  expect(await gateway.granted({ session: 's' })).toBe(held);
  gateway.giveBack(held);
  await pass(clock, IDLE_MS - 1_000);
  expect(await store.held()).toEqual(['b1']);
  await pass(clock, 6_000);
  expect(await store.held()).toEqual([]);
  expect(fleet.logged()).toEqual([]);
  expect(gateway.seen.held).toBe(0);
  expect(await gateway.granted({ session: 's' })).not.toBe(held);
});

test('it lasts as long as its longest request, in whichever gateway, and then as long as any other', async () => {
  const [one, two] = [fleet.gateway('gw-1', store.line()), fleet.gateway('gw-2', store.line())];
  const held = await one.granted({ session: 's' });
  two.giveBack(await two.granted({ session: 's' }));
  await pass(clock, 10 * IDLE_MS);
  expect(await two.granted({ session: 's' })).toBe(held);
  two.giveBack(held);
  await pass(clock, 2 * IDLE_MS);
  one.giveBack(held);
  await pass(clock, IDLE_MS - 1_000);
  expect(await store.held()).toEqual(['b1']);
  await pass(clock, 6_000);
  expect(await store.held()).toEqual([]);
  expect([one.seen.held, two.seen.held]).toEqual([0, 0]);
  expect(fleet.told('allocation.expired')).toHaveLength(1);
});

test('it moves when its backend is no candidate any more, and the log knows where to', async () => {
  const [one, two] = [fleet.gateway('gw-1', store.line()), fleet.gateway('gw-2', store.line())];
  one.giveBack(await one.granted({ session: 's' }));
  const moved = await two.granted({ session: 's', candidates: ['b2'] });
  expect(await one.granted({ session: 's', candidates: ['b1', 'b2'] })).toBe(moved);
  expect(await store.held()).toEqual(['b2']);
  expect([fleet.logged('b1'), fleet.logged('b2')]).toEqual([[], [moved]]);
  expect(auditReservations(fleet.history).proven).toBe(true);
});

test('a gateway that stops takes only those with it that are its own', async () => {
  const [one, two] = [fleet.gateway('gw-1', store.line()), fleet.gateway('gw-2', store.line())];
  one.giveBack(await one.granted({ session: 's' }));
  one.giveBack(await one.granted({ session: 'mine' }));
  const held = await two.granted({ session: 's' });
  await one.allocations.stop();
  expect(await store.held()).toEqual(['b1']);
  expect(fleet.logged()).toEqual([held]);
  await pass(clock, IDLE_MS);
  expect(await two.granted({ session: 's' })).toBe(held);
});

test('while the store is away a session keeps what it has', async () => {
  const line = store.line();
  const gateway = fleet.gateway('gw-1', line);
  const held = await gateway.granted({ session: 's' });
  await gateway.granted({ session: 't' });
  line.line = 'down';
  expect(await gateway.granted({ session: 's', candidates: ['b2', 'b1'] })).toBe(held);
  expect(await gateway.reserve({ session: 'u' })).toMatchObject({ outcome: 'full' });
});
