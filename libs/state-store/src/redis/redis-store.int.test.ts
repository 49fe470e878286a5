import { setTimeout as sleep } from 'node:timers/promises';
import { NO_RESOURCES } from '@usher/domain';
import { type StateStore, type StoreStatus, StoreUnavailableError } from '@usher/ports';
import { RecordingLog, type RedisServer, startRedisServer, testStateStore, wallClock } from '@usher/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRedisStore } from './redis-store.ts';

const LONG_MS = 60_000;

testStateStore('Redis', async () => {
  const server = await startRedisServer();
  const store = await openRedisStore({ url: server.url, clock: wallClock, log: new RecordingLog() });
  return {
    store,
    pass: () => sleep(5),
    async stop() {
      await store.close();
      await server.stop();
    },
  };
});

describe('the Redis store', () => {
  let server: RedisServer;
  let store: StateStore;
  let log: RecordingLog;
  beforeEach(async () => {
    log = new RecordingLog();
    server = await startRedisServer();
    store = await openRedisStore({ url: server.url, clock: wallClock, log });
  });
  afterEach(async () => {
    await store.close();
    await server.stop();
  });

  test('two processes see one lease', async () => {
    const other = await openRedisStore({ url: server.url, clock: wallClock, log });
    expect((await store.acquireLease('scheduler', 'a', LONG_MS)).held).toBe(true);
    expect(await other.acquireLease('scheduler', 'b', LONG_MS)).toEqual({ held: false, owner: 'a' });
    await other.close();
  });

  test('refuses every call while Redis is dead, and works again by itself when it is back', async () => {
    const seen: boolean[] = [];
    store.onStatus((status: StoreStatus) => seen.push(status.connected));
    await server.kill9();
    await until(() => !store.status().connected);
    for (const call of everyCall(store)) await expect(call).rejects.toBeInstanceOf(StoreUnavailableError);
    await server.restart();
    await until(() => store.status().connected);
    expect((await store.acquireLease('scheduler', 'a', LONG_MS)).held).toBe(true);
    expect(seen).toEqual([false, true]);
    expect(log.entries.map((entry) => entry.message)).toEqual([
      'state store: connected to Redis',
      'state store: lost Redis',
      'state store: connected to Redis',
    ]);
  });

  test('refuses every call while Redis is frozen, and works again by itself when it goes on', async () => {
    await store.set('k', 'v', LONG_MS);
    server.freeze();
    const calls = await Promise.allSettled(everyCall(store));
    for (const call of calls) {
      expect(call).toMatchObject({ status: 'rejected', reason: expect.any(StoreUnavailableError) });
    }
    await until(() => !store.status().connected);
    await expect(store.get('k')).rejects.toBeInstanceOf(StoreUnavailableError);
    server.thaw();
    await until(() => store.status().connected);
    expect(await store.get('other')).toBeUndefined();
  });

  test('never sends a refused command again', async () => {
    await server.kill9();
    await until(() => !store.status().connected);
    await expect(store.set('k', 'late', LONG_MS)).rejects.toBeInstanceOf(StoreUnavailableError);
    await server.restart();
    await until(() => store.status().connected);
    expect(await store.get('k')).toBeUndefined();
  });

  test('answers the one who asked, also when an earlier answer came too late', async () => {
    await store.set('a', '1', LONG_MS);
    await store.set('b', '2', LONG_MS);
    server.freeze();
    await expect(store.get('a')).rejects.toBeInstanceOf(StoreUnavailableError);
    server.thaw();
    await expect(eventually(() => store.get('b'))).resolves.toBe('2');
  });

  test('opens without Redis, refuses calls and connects when it comes', async () => {
    await server.kill9();
    const early = await openRedisStore({ url: server.url, clock: wallClock, log });
    expect(early.status().connected).toBe(false);
    await expect(early.get('k')).rejects.toBeInstanceOf(StoreUnavailableError);
    await server.restart();
    await until(() => early.status().connected);
    expect(await early.get('k')).toBeUndefined();
    await early.close();
  });

  test('opens while Redis is frozen and connects when it goes on', async () => {
    server.freeze();
    const early = await openRedisStore({ url: server.url, clock: wallClock, log });
    await expect(early.get('k')).rejects.toBeInstanceOf(StoreUnavailableError);
    server.thaw();
    await until(() => early.status().connected);
    await early.close();
  });

  test('refuses calls after it was closed', async () => {
    await store.close();
    await expect(store.get('k')).rejects.toBeInstanceOf(StoreUnavailableError);
  });
});

/** Fills a server with sessions beyond what it can hold; answers with what was refused. */
async function flood({ sticky }: StateStore): Promise<number> {
  let refused = 0;
  for (let round = 0; round < 40; round++) {
    const ids = Array.from({ length: 500 }, (_, index) => `${round} ${index} ${'x'.repeat(100)}`);
    const some = ids.map((id) =>
      sticky.assign({ pool: 'web', id, backend: 'b', ttlMs: LONG_MS, idleMs: LONG_MS }),
    );
    for (const { status } of await Promise.allSettled(some)) if (status === 'rejected') refused += 1;
  }
  return refused;
}

describe('a Redis server with little memory', () => {
  test.each([
    ['volatile-ttl', 0],
    ['noeviction', 1],
  ])('that is %s and full of sessions', async (policy, warnings) => {
    const log = new RecordingLog();
    const server = await startRedisServer({ settings: { maxmemory: '3mb', 'maxmemory-policy': policy } });
    const store = await openRedisStore({ url: server.url, clock: wallClock, log });
    expect(log.entries.filter(({ level }) => level === 'warn')).toHaveLength(warnings);
    const reserved = {
      allocation: 'one',
      backend: 'b',
      resources: { ...NO_RESOURCES, gpus: 1 },
      ttlMs: LONG_MS,
    };
    const told = {
      pool: 'web',
      owner: 'gw-1',
      told: 'first',
      after: '',
      leaseMs: LONG_MS,
      allocations: [reserved],
      underWay: [],
      gateways: [],
    };
    await store.reservations.restore({ ...told });
    expect((await store.acquireLease('scheduler', 'a', LONG_MS)).held).toBe(true);
    const refused = await flood(store);
    if (policy === 'noeviction') expect(refused).toBeGreaterThan(0);
    else {
      expect(refused).toBe(0);
      expect((await store.acquireLease('scheduler', 'a', LONG_MS)).held).toBe(true);
      expect((await store.reservations.list('web')).allocations).toHaveLength(1);
    }
    await store.close();
    await server.stop();
  });
});

function everyCall(store: StateStore): Promise<unknown>[] {
  return [
    store.acquireLease('l', 'a', LONG_MS),
    store.releaseLease('l', 'a'),
    store.listLeases(''),
    store.get('k'),
    store.set('k', 'v', LONG_MS),
    store.setIfAbsent('k', 'v', LONG_MS),
    store.delete('k'),
  ];
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}

async function eventually<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      await sleep(5);
    }
  }
}
