import { auditReservations } from '@usher/actors';
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

const newFleet = (reserve: 'request' | 'session') =>
  new ReservingFleet({ clock, pool: { reserve }, backends: { b1: 2, b2: 2 } });

function purge(fleet: ReservingFleet, what: { readonly ofBackend?: string; readonly session?: string } = {}) {
  fleet.append({ type: 'allocations.purged', subject: 'web', data: { pool: 'web', ...what } });
}

test('what gateways hold of a backend is given back, in the store and in the log, and what runs goes on', async () => {
  const fleet = newFleet('request');
  const [one, two] = [fleet.gateway('gw-1', store.line()), fleet.gateway('gw-2', store.line())];
  const held = [await one.granted(), await two.granted(), await two.granted({ candidates: ['b2'] })];
  expect(await store.held()).toEqual(['b1', 'b1', 'b2']);
  purge(fleet, { ofBackend: 'b1' });
  await settled(async () => (await store.held()).length === 1);
  await settled(async () => fleet.logged().length === 0);
  expect(fleet.logged('b2')).toEqual([held[2]]);
  purge(fleet, { ofBackend: 'b1' });
  one.giveBack(held[0]!);
  await pass(clock, 10_000);
  expect(fleet.told('allocation.released')).toHaveLength(2);
  expect(await store.held()).toEqual(['b2']);
  await one.granted();
  expect(auditReservations(fleet.history).proven).toBe(true);
});

test('what a session holds is given back, and others keep theirs', async () => {
  const fleet = newFleet('session');
  const [one, two] = [fleet.gateway('gw-1', store.line()), fleet.gateway('gw-2', store.line())];
  const held = await one.granted({ session: 's' });
  expect(await two.granted({ session: 's' })).toBe(held);
  const other = await one.granted({ session: 'other' });
  purge(fleet, { session: 's' });
  await settled(async () => fleet.logged().join() === other);
  expect(await store.held()).toEqual(['b1']);
  expect(await two.granted({ session: 's', candidates: ['b2'] })).not.toBe(held);
  expect(await store.held()).toEqual(['b1', 'b2']);
  purge(fleet);
  await settled(async () => (await store.held()).length === 0);
  expect(auditReservations(fleet.history).proven).toBe(true);
});
