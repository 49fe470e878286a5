import { beforeEach, expect, test } from 'vitest';
import type { SharedStickySettings } from './shared-sessions.ts';
import { BACKENDS, HOUR_MS, SharedStore, settled, TestGateway } from './testing/test-gateway.ts';
import { visit } from './testing/visits.ts';

let shared: SharedStore;

beforeEach(() => {
  shared = new SharedStore();
});

function gateway(changes: Partial<SharedStickySettings> = {}): TestGateway {
  return new TestGateway(shared, changes);
}

test('the first request of a client decides, and every gateway sends the others after it', async () => {
  const [one, two] = [gateway(), gateway()];
  expect(await one.at('alice', 'b')).toBe('b');
  expect(await two.at('alice', 'c')).toBe('b');
  expect(await two.at('bob', 'c')).toBe('c');
  expect(await one.at('bob', 'a')).toBe('c');
  expect(await one.at('', 'a')).toBeUndefined();
  expect(one.harness.pool.sticky?.counts).toMatchObject({ begun: 1, kept: 1, moved: 0 });
});

test('the store is asked once, and then only now and then', async () => {
  const one = gateway();
  expect(await one.at('alice', 'b')).toBe('b');
  for (let round = 0; round < 100; round++) expect(await one.at('alice', BACKENDS[round % 5])).toBe('b');
  expect(one.asked).toEqual(['assign']);
  one.advance(HOUR_MS / 4);
  for (let round = 0; round < 100; round++) expect(await one.at('alice', 'a')).toBe('b');
  expect(one.asked).toEqual(['assign', 'look']);
});

test('of many requests at once all go to one backend', async () => {
  const gateways = [gateway(), gateway(), gateway()];
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, index) => gateways[index % 3]!.at('alice', BACKENDS[index % 5])),
  );
  expect(new Set(answers).size).toBe(1);
});

test('a session that is in use goes on in the store, and ends when its time is over', async () => {
  const one = gateway({ ttlMs: 4 * HOUR_MS });
  expect(await one.at('alice', 'b')).toBe('b');
  const other = gateway({ ttlMs: 4 * HOUR_MS });
  for (let round = 0; round < 12; round++) {
    one.advance(HOUR_MS / 4);
    expect(await one.at('alice', 'a')).toBe('b');
    await settled();
  }
  other.harness.advance(one.harness.nowMs - other.harness.nowMs);
  expect(await other.at('alice', 'c')).toBe('b');
  one.advance(1.5 * HOUR_MS);
  expect(await one.at('alice', 'c')).toBe('c');
});

test('a session that was not in use for too long begins anew', async () => {
  const one = gateway();
  expect(await one.at('alice', 'b')).toBe('b');
  one.advance(HOUR_MS);
  expect(await one.at('alice', 'c')).toBe('c');
});

test('a session leaves a backend that may not get it, and of two gateways one decides where to', async () => {
  const [one, two] = [gateway(), gateway()];
  for (const each of [one, two]) expect(await each.at('alice', 'b')).toBe('b');
  for (const each of [one, two]) each.harness.set('b', { eligible: false });
  const [first, second] = await Promise.all([one.at('alice', 'c'), two.at('alice', 'd')]);
  expect(first).toBe(second);
  for (const each of [one, two]) each.harness.set('b');
  expect(await one.at('alice', 'a')).toBe(first);
  expect(await gateway().at('alice', 'a')).toBe(first);
});

test('a gateway that hears of a move goes along without asking', async () => {
  const one = gateway();
  expect(await one.at('alice', 'b')).toBe('b');
  const { session } = visit(one.harness.pool, 'X-User: alice\r\n')!;
  const asked = one.asked.length;
  one.harness.apply({ kind: 'sticky_moved', pool: 'web', session, to: 'd' });
  expect(await one.at('alice', 'a')).toBe('d');
  expect(one.asked).toHaveLength(asked);
});

test('a gateway that did not hear of a move finds out', async () => {
  const [one, two] = [gateway(), gateway()];
  for (const each of [one, two]) expect(await each.at('alice', 'b')).toBe('b');
  one.harness.set('b', { eligible: false });
  expect(await one.at('alice', 'c')).toBe('c');
  expect(await two.at('alice', 'a')).toBe('b');
  two.advance(300_000);
  expect(await two.at('alice', 'a')).toBe('b');
  await settled();
  expect(await two.at('alice', 'a')).toBe('c');
});

test('where another backend answers, the session is', async () => {
  const [one, two] = [gateway(), gateway()];
  expect(await one.at('alice', 'b')).toBe('b');
  const found = visit(one.harness.pool, 'X-User: alice\r\n')!;
  const first = found.preferred([])!;
  found.began(first);
  expect(found.preferred([first])).toBeUndefined();
  found.began(one.harness.slot('e'));
  await settled();
  expect(await two.at('alice', 'a')).toBe('e');
});

test('a header that is missing or empty leaves the address, if the settings say so', async () => {
  const one = gateway({ by: 'header', name: 'x-user', fallback: 'ip' });
  expect(await one.at('', 'b')).toBe('b');
  expect(await one.at('', 'c', { lines: 'X-User: \r\n' })).toBe('b');
  expect(await one.at('', 'c', { ip: '10.0.0.2' })).toBe('c');
  expect(await one.at('10.0.0.1', 'd')).toBe('d');
});

test('an IPv6 client is its network, an IPv4 client its address', async () => {
  const one = gateway({ by: 'ip' });
  expect(await one.at('', 'b', { ip: '2001:db8:1:2::1' })).toBe('b');
  expect(await one.at('', 'a', { ip: '2001:db8:1:2:ffff:1:2:3' })).toBe('b');
  expect(await one.at('', 'c', { ip: '2001:db8:1:3::1' })).toBe('c');
  expect(await one.at('', 'd', { ip: '10.0.0.1' })).toBe('d');
  expect(await one.at('', 'e', { ip: '10.0.0.2' })).toBe('e');
});

test('ids of any length are told apart, and none is in the store as it is', async () => {
  const one = gateway();
  const long = 'x'.repeat(5000);
  expect(await one.at(`${long}1`, 'b')).toBe('b');
  expect(await one.at(`${long}2`, 'c')).toBe('c');
  expect(await one.at(`${long}1`, 'a')).toBe('b');
  const { session } = visit(one.harness.pool, `X-User: ${long}1\r\n`)!;
  expect(session).toMatch(/^[0-9a-f]{8}[\w-]{22}$/);
  expect(await shared.store.sticky.get('web', session)).toBe('b');
});

test('requests of another tier go along, or have a backend of their own', async () => {
  const one = gateway();
  expect(await one.at('alice', 'b', { tier: 'small' })).toBe('b');
  expect(await one.at('alice', 'c', { tier: 'large' })).toBe('b');
  const apart = gateway({ name: 'x-user', affinity: false });
  expect(await apart.at('bob', 'b', { tier: 'small' })).toBe('b');
  expect(await apart.at('bob', 'c', { tier: 'large' })).toBe('c');
  expect(await apart.at('bob', 'a', { tier: 'small' })).toBe('b');
});

test('a tier for which the backend has no room goes elsewhere alone', async () => {
  const [one, two] = [gateway(), gateway()];
  expect(await one.at('alice', 'b', { tier: 'small' })).toBe('b');
  expect(await one.at('alice', 'c', { tier: 'large' })).toBe('b');
  const found = visit(one.harness.pool, 'X-User: alice\r\n')!;
  found.tier = 'large';
  expect(found.preferred([])?.id).toBe('b');
  found.began(one.harness.slot('d'));
  await settled();
  for (const each of [one, two]) {
    expect(await each.at('alice', 'a', { tier: 'large' })).toBe('d');
    expect(await each.at('alice', 'a', { tier: 'small' })).toBe('b');
  }
  for (const each of [one, two]) each.harness.set('b', { eligible: false });
  expect(await one.at('alice', 'e', { tier: 'small' })).toBe('e');
  expect(await two.at('alice', 'a', { tier: 'small' })).toBe('e');
  expect(await two.at('alice', 'a', { tier: 'large' })).toBe('d');
});
