import { auditReservations } from '@usher/actors';
import type { PoolSettings } from '@usher/domain';
import type { StateStore } from '@usher/ports';
import { openRedisStore } from '@usher/state-store';
import { RecordingLog, type RedisServer, startRedisServer, wallClock } from '@usher/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../testing/http.ts';
import { ReservingFleet, type ReservingGateway } from '../../testing/reservations.ts';
import { sevenPlaces } from '../../testing/seven-places.ts';

let server: RedisServer;
const opened: { close(): Promise<void> }[] = [];
const gateways: ReservingGateway[] = [];

async function start(options?: { keepsLog: boolean }): Promise<void> {
  server = await startRedisServer(options);
}
beforeEach(() => start());
afterEach(async () => {
  for (const gateway of gateways.splice(0)) await gateway.allocations.stop();
  for (const each of opened.splice(0)) await each.close();
  await server.stop();
});

async function open(): Promise<StateStore> {
  const store = await openRedisStore({ url: server.url, clock: wallClock, log: new RecordingLog() });
  opened.push(store);
  return store;
}

/** Two gateways that share a backend with eight cores, each over a connection of its own. */
async function two(pool: Partial<PoolSettings> = {}) {
  const fleet = new ReservingFleet({ clock: wallClock, pool, backends: { b1: 8 } });
  const stores = [await open(), await open()] as const;
  const started = [fleet.gateway('gw-1', stores[0]), fleet.gateway('gw-2', stores[1])] as const;
  gateways.push(...started);
  const held = async () =>
    (await stores[0].reservations.list('web')).allocations.map(({ allocation }) => allocation).toSorted();
  return { fleet, stores, started, held };
}

async function restart(stores: readonly StateStore[]): Promise<void> {
  await server.kill9();
  await until(() => stores.every((store) => !store.status().connected), 'the connections are lost');
}

/** As many as it gets. */
async function all(gateway: ReservingGateway): Promise<string[]> {
  const got: string[] = [];
  for (let answer = await gateway.reserve(); answer.outcome === 'granted'; answer = await gateway.reserve())
    got.push(answer.allocation);
  return got;
}

describe('when Redis', () => {
  test.each([{ keepsLog: false }, { keepsLog: true }])(
    'is killed, requests go on within what is free, and afterwards it holds what the gateways hold: %o',
    async (options) => {
      await server.stop();
      await start(options);
      const { fleet, stores, started, held } = await two();
      const [one, other] = started;
      const before = [await one.granted(), await one.granted(), await other.granted()];
      await restart(stores);
      const meanwhile = [...(await all(one)), ...(await all(other))];
      expect(meanwhile).toHaveLength(5);
      one.giveBack(before[0]!);
      other.giveBack(meanwhile.at(-1)!);
      await server.restart();
      const expected = [...before.slice(1), ...meanwhile.slice(0, -1)].toSorted();
      await until(async () => {
        const now = await held().catch(() => []);
        return JSON.stringify(now) === JSON.stringify(expected);
      }, 'it holds what the gateways hold');
      expect(fleet.logged().toSorted()).toEqual(expected);
      await until(async () => (await one.reserve()).outcome === 'granted', 'it reserves again');
      expect(auditReservations(fleet.history)).toMatchObject({ pools: [{ runs: 2 }], violations: [] });
    },
  );

  test('is killed and a pool must not do without it, requests are refused until it is back', async () => {
    const { stores, started } = await two({ reserveWithoutStore: 'closed' });
    await started[0].granted();
    await restart(stores);
    expect(await started[0].reserve()).toEqual({ outcome: 'closed', why: 'store_away' });
    await server.restart();
    await until(async () => (await started[0].reserve()).outcome === 'granted', 'it reserves again');
  });

  test('is frozen, requests are answered without it, and what it did unheard is given back', async () => {
    const { fleet, started, held } = await two();
    const [one, other] = started;
    const before = [await one.granted(), await other.granted()];
    server.freeze();
    const unheard = [one.ask(), one.ask(), other.ask()];
    one.giveBack(before[0]!);
    await until(
      () => unheard.every((key) => one.answers.has(key) || other.answers.has(key)),
      'they are answered',
    );
    const during = await one.granted();
    server.thaw();
    const holding = () => [...fleet.logged()].toSorted();
    await until(
      async () => JSON.stringify(await held().catch(() => [])) === JSON.stringify(holding()),
      'they agree',
    );
    expect(await held()).toContain(during);
    expect(await held()).not.toContain(before[0]);
    expect(await held()).toHaveLength(5);
    expect(auditReservations(fleet.history).violations).toEqual([]);
  });

  test('is emptied, it is told again what is held before anything else is reserved', async () => {
    const { fleet, started, held } = await two({ reserveWithoutStore: 'closed' });
    const [one, other] = started;
    for (let count = 0; count < 4; count++) await one.granted();
    expect(await all(other)).toHaveLength(4);
    const before = await held();
    await server.flush();
    expect(await other.reserve()).not.toMatchObject({ outcome: 'granted' });
    await until(async () => (await held()).length === 8, 'all is there again');
    expect(await held()).toEqual(before);
    await until(async () => (await other.reserve()).outcome === 'full', 'it reserves again');
    expect(auditReservations(fleet.history)).toMatchObject({ pools: [{ runs: 2 }], proven: true });
  });
});

test('of a thousand requests through four gateways seven are let in over Redis, and none is let in twice', async () => {
  const seen = await sevenPlaces({
    store: open,
    rounds: 2,
    requests: 1_000,
    queue: { max: 0, timeoutMs: 1 },
  });
  expect(seen.statuses).toEqual({ 200: 14, 503: 1_986 });
  expect(seen.most).toBe(7);
  expect(seen.left).toBe(0);
  expect(seen.audit).toMatchObject({ violations: [], proven: true });
}, 120_000);

test('what is held of a backend is given back for an operator, through Redis, by whichever gateway holds it', async () => {
  const { fleet, started, held } = await two();
  for (const gateway of started) await gateway.granted();
  expect(await held()).toHaveLength(2);
  fleet.append({ type: 'allocations.purged', subject: 'web', data: { pool: 'web', ofBackend: 'b1' } });
  await until(async () => (await held()).length === 0, 'the store holds nothing');
  await until(() => fleet.logged().length === 0, 'the log has nothing');
  expect(auditReservations(fleet.history).proven).toBe(true);
});
