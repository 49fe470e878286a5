import { setTimeout as sleep } from 'node:timers/promises';
import { NO_RESOURCES } from '@usher/domain';
import type { ReservationRequest, RestoreRequest, StateStore } from '@usher/ports';
import {
  insist,
  RecordingLog,
  type RedisServer,
  reservationStorm,
  startRedisServer,
  wallClock,
} from '@usher/testing';
import { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import { openRedisStore } from './redis-store.ts';

const LONG_MS = 60_000;
const core = { ...NO_RESOURCES, milliCpu: 1000 };

const request = (allocation: string, owner = 'gw-1'): ReservationRequest => ({
  pool: 'p',
  allocation,
  owner,
  told: 'told',
  leaseMs: LONG_MS,
  ttlMs: LONG_MS,
  resources: core,
  candidates: [{ backend: 'b1', capacity: { ...NO_RESOURCES, milliCpu: 2000 }, max: 0 }],
});
const restore = (
  owner: string,
  held: readonly string[],
  gateways: readonly string[] = ['gw-1', 'gw-2'],
): RestoreRequest => ({
  pool: 'p',
  owner,
  told: 'told',
  after: 'told',
  leaseMs: LONG_MS,
  allocations: held.map((allocation) => ({ allocation, backend: 'b1', resources: core, ttlMs: LONG_MS })),
  underWay: [],
  gateways,
});

const renewal = (owner: string) => ({
  pool: 'p',
  owner,
  told: 'told',
  leaseMs: LONG_MS,
  ttlMs: LONG_MS,
  allocations: [],
});

const opened: { close(): Promise<void> }[] = [];
async function start(options?: { keepsLog: boolean }): Promise<RedisServer> {
  const server = await startRedisServer(options);
  opened.push({ close: () => server.stop() });
  return server;
}
async function open(server: RedisServer): Promise<StateStore> {
  const store = await openRedisStore({ url: server.url, clock: wallClock, log: new RecordingLog() });
  opened.push(store);
  return store;
}
afterEach(async () => {
  for (const each of opened.splice(0).toReversed()) await each.close();
});

async function restart(server: RedisServer, stores: readonly StateStore[]): Promise<void> {
  await server.kill9();
  while (stores.some((store) => store.status().connected)) await sleep(5);
  await server.restart();
  while (stores.some((store) => !store.status().connected)) await sleep(5);
}

test.each([{ keepsLog: false }, { keepsLog: true }])(
  'after a crash the pool is closed until the gateways have told what they hold: %o',
  async (options) => {
    const server = await start(options);
    const [first, second] = [await open(server), await open(server)];
    await first.reservations.restore(restore('gw-1', []));
    await second.reservations.restore(restore('gw-2', []));
    expect(await first.reservations.reserve(request('a'))).toMatchObject({ outcome: 'reserved' });
    expect(await second.reservations.reserve(request('b', 'gw-2'))).toMatchObject({ outcome: 'reserved' });
    await restart(server, [first, second]);
    expect(await first.reservations.reserve(request('c'))).toEqual({ outcome: 'unknown' });
    expect(await first.reservations.renew(renewal('gw-1'))).toEqual({ outcome: 'unknown' });
    expect(await first.reservations.restore(restore('gw-1', ['a']))).toMatchObject({
      added: [{ allocation: 'a', at: { step: 1 } }],
    });
    expect(await first.reservations.reserve(request('c'))).toMatchObject({ outcome: 'restoring' });
    expect(await second.reservations.restore(restore('gw-2', ['b']))).toMatchObject({
      added: [{ allocation: 'b', at: { step: 2 } }],
    });
    expect(await first.reservations.reserve(request('c'))).toMatchObject({ outcome: 'full' });
    expect(await second.reservations.release('p', 'gw-2', ['b'])).toMatchObject([{ backend: 'b1' }]);
    expect(await first.reservations.reserve(request('c'))).toMatchObject({ outcome: 'reserved' });
  },
);

test('an answer that came too late is repeated without reserving twice', async () => {
  const server = await start();
  const store = await open(server);
  await store.reservations.restore(restore('gw-1', [], ['gw-1']));
  server.freeze();
  await expect(store.reservations.reserve(request('a'))).rejects.toThrow('Redis');
  server.thaw();
  expect(await insist(() => store.reservations.reserve(request('a')))).toMatchObject({ outcome: 'reserved' });
  const { allocations, used } = await store.reservations.list('p');
  expect(allocations.map(({ allocation }) => allocation)).toEqual(['a']);
  expect(used.get('b1')?.resources).toEqual(core);
});

test('a server that was made to forget its scripts gets them again', async () => {
  const server = await start();
  const store = await open(server);
  const other = new Redis(server.url);
  await other.script('FLUSH');
  other.disconnect();
  expect(await store.reservations.restore(restore('gw-1', [], ['gw-1']))).toMatchObject({ added: [] });
  expect(await store.reservations.reserve(request('a'))).toMatchObject({ outcome: 'reserved' });
  expect(
    await store.sticky.assign({ pool: 'p', id: 's', backend: 'b1', ttlMs: LONG_MS, idleMs: LONG_MS }),
  ).toBe('b1');
});

test('all keys of a pool have one hash tag, so that they are on one node of a cluster', async () => {
  const server = await start();
  const store = await open(server);
  await store.reservations.restore(restore('gw-1', [], ['gw-1']));
  await store.reservations.reserve({ ...request('a'), session: { id: 's', tier: 't' } });
  const other = new Redis(server.url);
  const keys = await other.keys('*');
  other.disconnect();
  expect(keys).toHaveLength(7);
  expect(keys.filter((key) => !key.includes('{p}'))).toEqual([]);
});

test('200,000 random operations over three connections with dying gateways keep every sum exact', async () => {
  const server = await start();
  const stores = await Promise.all([open(server), open(server), open(server)]);
  const { reserved, givenBack, checks, deaths, unanswered } = await reservationStorm({
    reservations: stores.map(({ reservations }) => reservations),
    operations: 200_000,
    seed: 11,
    pass: () => sleep(1),
  });
  if (unanswered === 0) expect(givenBack).toBe(reserved);
  expect(reserved).toBeGreaterThan(10_000);
  expect(checks).toBeGreaterThan(800);
  expect(deaths).toBeGreaterThan(50);
}, 300_000);
