import type { StateStore } from '@usher/ports';
import { sessionIdOf } from '@usher/runtime';
import { openRedisStore } from '@usher/state-store';
import { type RedisServer, startRedisServer } from '@usher/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../testing/http.ts';
import {
  BY_COOKIE,
  BY_HEADER,
  often,
  pairOf,
  type Served,
  StickyFleet,
  served,
} from '../testing/sticky-gateway.ts';

let redis: RedisServer;
let fleet: StickyFleet;
let stores: StateStore[];

beforeEach(async () => {
  redis = await startRedisServer();
  fleet = new StickyFleet();
  stores = [];
});
afterEach(async () => {
  await fleet.stop();
  await Promise.all(stores.map((store) => store.close()));
  await redis.stop();
});

/** A gateway with a connection of its own to the store. */
async function gateway(): Promise<number> {
  const { clock, log } = fleet.fleet;
  const store = await openRedisStore({ url: redis.url, clock, log });
  stores.push(store);
  return await fleet.gateway({}, store);
}

const connected = (yes: boolean) =>
  until(() => stores.every((store) => store.status().connected === yes), `connected: ${yes}`);

const user = (name: string) => ({ headers: { 'x-user': name } });
const names = (prefix: string) => Array.from({ length: 24 }, (_, index) => `${prefix}-${index}`);

/** Where each of these goes, through every gateway, several times at once. */
async function placesOf(ports: readonly number[], users: readonly string[]): Promise<Map<string, string>> {
  const places = new Map<string, string>();
  for (const name of users) {
    const answers = await Promise.all([...ports, ...ports].map((port) => served(port, user(name))));
    const ids = new Set(answers.map(({ id }) => id));
    expect([name, ...ids]).toHaveLength(2);
    places.set(name, answers[0]!.id);
  }
  return places;
}

test('without Redis even a gateway that has never seen a client sends it where the others do', async () => {
  await fleet.configure(BY_HEADER);
  const ports = [await gateway(), await gateway()];
  const before = await placesOf(ports.slice(0, 1), names('user'));
  await until(() => fleet.told === before.size, 'the others have heard');
  await redis.kill9();
  await connected(false);
  expect(await placesOf(ports, names('user'))).toEqual(before);
});

test('sessions by header: gateways agree through Redis, without it, and when it is back', async () => {
  await fleet.configure(BY_HEADER);
  const ports = [await gateway(), await gateway()];
  const before = await placesOf(ports, names('before'));
  expect(new Set(before.values()).size).toBe(4);

  await redis.kill9();
  await connected(false);
  const during = await placesOf(ports, names('during'));
  expect(new Set(during.values()).size).toBe(4);
  expect(await placesOf(ports, names('before'))).toEqual(before);

  await redis.restart();
  await connected(true);
  ports.push(await gateway());
  const after = await placesOf(ports, names('after'));
  expect(new Set(after.values()).size).toBe(4);
  expect(await placesOf(ports.slice(0, 2), names('before'))).toEqual(before);
});

test('a new gateway is told by Redis, and clients that move are told by it too', async () => {
  await fleet.configure(BY_HEADER);
  const ports = [await gateway()];
  const before = await placesOf(ports, names('user'));
  ports.push(await gateway());
  expect(await placesOf(ports, names('user'))).toEqual(before);
  await fleet.drain('b1');
  const after = await placesOf(ports, names('user'));
  for (const [name, id] of after) {
    if (before.get(name) === 'b1') expect(id).not.toBe('b1');
    else expect(id).toBe(before.get(name));
  }
});

test('sessions that were cleared are placed anew, and all gateways agree, also while Redis is away', async () => {
  await fleet.configure(BY_HEADER);
  const ports = [await gateway(), await gateway()];
  const before = await placesOf(ports, names('user'));
  await fleet.clear();
  const after = await placesOf(ports, names('user'));
  expect([...after.values()]).not.toEqual([...before.values()]);
  ports.push(await gateway());
  expect(await placesOf(ports, names('user'))).toEqual(after);
  await redis.kill9();
  await connected(false);
  await fleet.clear();
  await placesOf(ports, names('user'));
  await redis.restart();
  await connected(true);
  await fleet.clear();
  const again = await placesOf(ports, names('user'));
  for (const name of ['user-0', 'user-1']) {
    await fleet.clear(sessionIdOf('header', name));
    again.set(name, (await served(ports[0]!, user(name))).id);
  }
  expect(await placesOf(ports, names('user'))).toEqual(again);
});

test('the key for cookies is shared through Redis, survives a restart of a gateway, and one of Redis', async () => {
  await fleet.configure(BY_COOKIE);
  const ports = [await gateway(), await gateway()];
  const first = await served(ports[0]!);
  const mine = { headers: { cookie: pairOf(first.set) } };
  expect(await served(ports[1]!, mine)).toEqual({ id: first.id, cookie: '', set: '' });
  await fleet.gateways[0]!.stop();
  ports.push(await gateway());
  expect(await served(ports[2]!, mine)).toEqual({ id: first.id, cookie: '', set: '' });

  // Empty when it is back: who has the key puts it there again.
  await redis.kill9();
  await connected(false);
  expect(await served(ports[1]!, mine)).toEqual({ id: first.id, cookie: '', set: '' });
  await redis.restart();
  await connected(true);
  await until(async () => (await stores[1]!.get('sticky/key')) !== undefined, 'the key is shared again');
  ports.push(await gateway());
  expect(await served(ports[3]!, mine)).toEqual({ id: first.id, cookie: '', set: '' });
});

test('a gateway that starts without Redis makes do with a key of its own, and takes the common one later', async () => {
  await fleet.configure(BY_COOKIE);
  const ports = [await gateway()];
  const before = await served(ports[0]!);
  await redis.kill9();
  await connected(false);
  ports.push(await gateway());
  const alone = await served(ports[1]!);
  expect(alone.set).not.toBe('');
  await redis.restart();
  await connected(true);
  const mine = { headers: { cookie: pairOf(before.set) } };
  const own = { headers: { cookie: pairOf(alone.set) } };
  for (const port of ports) {
    const holds = async (request: typeof mine, { id }: Served) =>
      [...(await often(() => served(port, request)))].join() === id;
    await until(() => holds(mine, before), 'the cookie of the one is good');
    await until(() => holds(own, alone), 'the cookie of the other is good');
  }
});
