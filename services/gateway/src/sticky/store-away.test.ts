import { beforeEach, expect, test } from 'vitest';
import { BACKENDS, HOUR_MS, SharedStore, settled, TestGateway } from './testing/test-gateway.ts';

let shared: SharedStore;

beforeEach(() => {
  shared = new SharedStore();
});

const gateway = () => new TestGateway(shared);

test('without the store all gateways choose alike, by the client', async () => {
  shared.away = true;
  const [one, two] = [gateway(), gateway()];
  const seen = new Set<string | undefined>();
  for (let user = 0; user < 60; user++) {
    const at = await one.at(`user-${user}`, 'a');
    seen.add(at);
    expect(await two.at(`user-${user}`, 'b')).toBe(at);
  }
  expect(seen.size).toBe(5);
  expect(one.harness.pool.sticky?.counts.alone).toBe(60);
});

test('what is known stays known without the store, however long that is away', async () => {
  const one = gateway();
  const chosen = BACKENDS.map((id) => [`of-${id}`, id] as const);
  for (const [user, id] of chosen) expect(await one.at(user, id)).toBe(id);
  shared.away = true;
  for (let hours = 0; hours < 5; hours++) {
    one.advance(HOUR_MS);
    for (const [user, id] of chosen) expect(await one.at(user, 'a')).toBe(id);
    await settled();
  }
  one.harness.set('b', { eligible: false });
  expect(await one.at('of-b', 'a')).not.toBe('b');
});

test('once the store is back what it knows counts, and what it does not know it learns', async () => {
  const [one, two] = [gateway(), gateway()];
  const users = Array.from({ length: 20 }, (_, index) => `user-${index}`);
  for (const user of users.slice(0, 10)) expect(await one.at(user, 'b')).toBe('b');
  shared.away = true;
  const during = new Map<string, string | undefined>();
  for (const user of users) during.set(user, await two.at(user, 'a'));
  shared.away = false;
  two.advance(2000);
  for (const user of users) await two.at(user, 'a');
  await settled();
  for (const user of users.slice(0, 10)) expect(await two.at(user, 'a')).toBe('b');
  for (const user of users.slice(10)) {
    expect(await two.at(user, 'a')).toBe(during.get(user));
    expect(await one.at(user, 'c')).toBe(during.get(user));
  }
});

test('what a store has forgotten while it was away the gateways tell it again', async () => {
  const one = gateway();
  const users = BACKENDS.map((id) => [`of-${id}`, id] as const);
  for (const [user, id] of users) expect(await one.at(user, id)).toBe(id);
  one.advance(1000);
  await shared.lose();
  one.replaceWorker();
  for (const [user, id] of users) expect(await one.at(user, 'a')).toBe(id);
  expect(await gateway().at('of-c', 'a')).toBe('c');
});
