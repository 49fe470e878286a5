import { auditReservations } from '@usher/actors';
import { SimulatedClock } from '@usher/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  pass,
  ReservingFleet,
  type ReservingGateway,
  settled,
  TestStore,
} from '../../testing/reservations.ts';

let clock: SimulatedClock;
let store: TestStore;
beforeEach(() => {
  clock = new SimulatedClock();
  store = new TestStore(clock);
});
afterEach(() => store.close());

type Options = Partial<ConstructorParameters<typeof ReservingFleet>[0]>;
const fleetOf = (options: Options = {}) => new ReservingFleet({ clock, backends: { b1: 8 }, ...options });
/** As many as it gets. */
async function all(gateway: ReservingGateway): Promise<string[]> {
  const got: string[] = [];
  for (let answer = await gateway.reserve(); answer.outcome === 'granted'; answer = await gateway.reserve())
    got.push(answer.allocation);
  return got;
}

describe('while the store is away', () => {
  test('one gateway alone reserves all that is free, and the store knows of it as soon as it is back', async () => {
    const fleet = fleetOf();
    const line = store.line();
    const gateway = fleet.gateway('gw-1', line);
    const held = await gateway.granted();
    line.line = 'down';
    const local = await all(gateway);
    expect(local).toHaveLength(7);
    gateway.giveBack(held);
    gateway.giveBack(local[0]!);
    expect(await all(gateway)).toHaveLength(2);
    line.line = 'up';
    await pass(clock, 500);
    expect((await store.held()).length).toBe(8);
    expect(fleet.logged()).toHaveLength(8);
    expect(await gateway.reserve()).toMatchObject({ outcome: 'full' });
    expect(gateway.seen.counts.grants).toEqual({ store: 1, local_share: 9, open: 0 });
    expect(auditReservations(fleet.history)).toMatchObject({ withoutStore: 9, proven: true });
  });

  test.each([
    { had: [0, 0, 0] },
    { had: [2, 1, 0] },
    { had: [8, 0, 0] },
    { had: [1, 1, 1] },
    { had: [0, 3, 4] },
  ])('several gateways that had $had reserve eight together, and no more', async ({ had }) => {
    const fleet = fleetOf();
    const lines = had.map(() => store.line());
    const gateways = lines.map((line, index) => fleet.gateway(`gw-${index}`, line));
    for (const [index, gateway] of gateways.entries())
      for (let count = 0; count < had[index]!; count++) await gateway.granted();
    for (const line of lines) line.line = 'down';
    // All have noticed.
    await pass(clock, 1_500);
    const got = [];
    for (const gateway of gateways) got.push((await all(gateway)).length);
    const before = had.reduce((a, b) => a + b);
    expect(got.reduce((a, b) => a + b)).toBe(8 - before);
    for (const line of lines) line.line = 'up';
    await pass(clock, 1_000);
    expect(await store.held()).toHaveLength(8);
    expect(auditReservations(fleet.history).violations).toEqual([]);
  });

  test('gateways that do not hear of each other reserve no more than there is', async () => {
    const fleet = fleetOf();
    const lines = [store.line(), store.line(), store.line()];
    const gateways = lines.map((line, index) => fleet.gateway(`gw-${index}`, line));
    await gateways[0]!.granted();
    for (const line of lines) line.line = 'down';
    for (const gateway of gateways) gateway.logAway = true;
    let got = 1;
    for (let round = 0; round < 3; round++)
      for (const gateway of gateways) got += (await all(gateway)).length;
    expect(got).toBe(8);
  });

  test('a pool may let requests in without a reservation', async () => {
    const fleet = fleetOf({ pool: { reserveWithoutStore: 'open' } });
    const line = store.line();
    const gateway = fleet.gateway('gw-1', line);
    line.line = 'down';
    for (let index = 0; index < 20; index++) gateway.giveBack(await gateway.granted());
    expect(await gateway.reserve({ candidates: ['gone'] })).toEqual({ outcome: 'full', short: {} });
    expect(fleet.logged()).toEqual([]);
    expect(gateway.seen.counts.grants.open).toBe(20);
  });

  test('a pool may refuse them', async () => {
    const line = store.line();
    const gateway = fleetOf({ pool: { reserveWithoutStore: 'closed' } }).gateway('gw-1', line);
    await gateway.granted();
    line.line = 'down';
    expect(await gateway.reserve()).toEqual({ outcome: 'closed', why: 'store_away' });
    expect(gateway.seen.counts.refusals.store_away).toBe(1);
    line.line = 'up';
    await pass(clock, 500);
    await gateway.granted();
  });

  test('those who wait are served by what is given back, and by the store when it is back', async () => {
    const fleet = fleetOf({ backends: { b1: 1 }, pool: { queue: { max: 9, timeoutMs: 60_000 } } });
    const line = store.line();
    const gateway = fleet.gateway('gw-1', line);
    const held = await gateway.granted();
    const [first, second] = [gateway.ask(), gateway.ask()];
    await settled(() => gateway.seen.waiting === 2);
    line.line = 'down';
    gateway.giveBack(held);
    await settled(() => gateway.answers.has(first));
    line.line = 'up';
    await pass(clock, 500);
    const answer = gateway.answers.get(first);
    if (answer?.outcome === 'granted') gateway.giveBack(answer.allocation);
    await settled(() => gateway.answers.has(second));
    expect(await store.held()).toEqual(['b1']);
  });
});

test('answers that were lost leave nothing behind, and nothing is reserved or given back twice', async () => {
  const fleet = fleetOf();
  const line = store.line();
  const gateway = fleet.gateway('gw-1', line);
  const held = [await gateway.granted(), await gateway.granted()];
  line.line = 'mute';
  const unheard = await gateway.granted();
  gateway.giveBack(held[0]!);
  await settled(() => fleet.logged().length === 2);
  line.line = 'up';
  await pass(clock, 500);
  const { allocations } = await store.reservations.list('web');
  expect(allocations.map(({ allocation }) => allocation).toSorted()).toEqual([held[1]!, unheard].toSorted());
  expect(fleet.logged().toSorted()).toEqual([held[1]!, unheard].toSorted());
  expect(auditReservations(fleet.history).violations).toEqual([]);
});

describe('what arrives late, after the gateway has told anew,', () => {
  test('gives back nothing that is in use', async () => {
    const fleet = fleetOf({ backends: { b1: 1 }, pool: { reserveWithoutStore: 'closed' } });
    const line = store.line();
    const gateway = fleet.gateway('gw-1', line);
    const other = fleet.gateway('gw-2', store.line());
    gateway.giveBack(await gateway.granted());
    line.line = 'late';
    expect(await gateway.reserve()).toMatchObject({ why: 'store_away' });
    await pass(clock, 1_000);
    line.line = 'up';
    await pass(clock, 500);
    await gateway.granted();
    await line.arrive();
    expect(await store.held()).toEqual(['b1']);
    expect(await other.reserve()).toMatchObject({ outcome: 'full' });
  });

  test('reserves nothing that nobody waits for', async () => {
    const fleet = fleetOf({ backends: { b1: 1 }, pool: { reserveWithoutStore: 'closed' } });
    const line = store.line();
    const gateway = fleet.gateway('gw-1', line);
    await pass(clock, 100);
    line.line = 'late';
    expect(await gateway.reserve()).toMatchObject({ why: 'store_away' });
    line.line = 'up';
    await pass(clock, 500);
    await line.arrive();
    expect(await store.held()).toEqual([]);
    await gateway.granted();
  });

  test('of an earlier life gives back nothing that is in use', async () => {
    const fleet = fleetOf({ backends: { b1: 1 } });
    const line = store.line();
    fleet.gateway('gw-1', line);
    await pass(clock, 100);
    line.line = 'late';
    await pass(clock, 15_000);
    const next = fleet.gateway('gw-1', store.line());
    await next.granted();
    await line.arrive();
    expect(await store.held()).toEqual(['b1']);
  });
});

describe('a store that has lost everything', () => {
  test('is told by each gateway what it holds before anything is reserved by it', async () => {
    const fleet = fleetOf({ backends: { b1: 3 }, pool: { reserveWithoutStore: 'closed' } });
    const lines = [store.line(), store.line()];
    const [one, two] = lines.map((line, index) => fleet.gateway(`gw-${index}`, line));
    await one!.granted();
    await two!.granted();
    await pass(clock, 100);
    store.restart();
    lines[1]!.line = 'down';
    expect(await one!.reserve()).toEqual({ outcome: 'closed', why: 'restoring' });
    expect(await store.held()).toEqual(['b1']);
    lines[1]!.line = 'up';
    await pass(clock, 4_000);
    expect(await store.held()).toEqual(['b1', 'b1']);
    await one!.granted();
    expect(await two!.reserve()).toMatchObject({ outcome: 'full' });
    expect(auditReservations(fleet.history)).toMatchObject({ pools: [{ runs: 2 }], proven: true });
  });

  test('is asked again at once when nobody else has to tell anything', async () => {
    const fleet = fleetOf({ pool: { reserveWithoutStore: 'closed' } });
    const gateway = fleet.gateway('gw-1', store.line());
    await gateway.granted();
    store.restart();
    await gateway.granted();
    expect(await store.held()).toEqual(['b1', 'b1']);
  });

  test('hears at once of what is reserved without it until it opens', async () => {
    const fleet = fleetOf();
    const lines = [store.line(), store.line()];
    const [one, two] = lines.map((line, index) => fleet.gateway(`gw-${index}`, line));
    store.restart();
    lines[1]!.line = 'down';
    expect(await all(one!)).toHaveLength(4);
    await settled(async () => (await store.held()).length === 4);
    lines[1]!.line = 'up';
    await pass(clock, 4_000);
    expect(await all(two!)).toHaveLength(4);
    expect(auditReservations(fleet.history).proven).toBe(true);
  });

  test('opens without a gateway that does not come back', async () => {
    const fleet = fleetOf({ pool: { reserveWithoutStore: 'closed' } });
    const line = store.line();
    const [one] = [fleet.gateway('gw-1', store.line()), fleet.gateway('gw-2', line)];
    line.line = 'down';
    store.restart();
    expect(await one.reserve()).toMatchObject({ why: 'restoring' });
    await pass(clock, 11_000);
    await one.granted();
  });
});
