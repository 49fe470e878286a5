import type { StateStore } from '@usher/ports';
import { openEmbeddedStore } from '@usher/state-store';
import { SimulatedClock } from '@usher/testing';
import { beforeEach, expect, test } from 'vitest';
import { SessionBook } from '../control/session-book.ts';
import { StickyDesk } from '../control/sticky-desk.ts';
import type { BackendSlot } from '../routing-table.ts';
import { pool as poolSettings, row } from '../testing/fixtures.ts';
import { TestTable } from '../testing/table.ts';
import type { SharedStickySettings } from './shared-sessions.ts';
import { StoreAsks } from './store-asks.ts';
import { peerAt, visit } from './testing/visits.ts';

const HOUR_MS = 3_600_000;
const byHeader: SharedStickySettings = {
  by: 'header',
  name: 'x-user',
  fallback: 'none',
  ttlMs: 24 * HOUR_MS,
  idleMs: HOUR_MS,
  affinity: true,
};
const BACKENDS = ['a', 'b', 'c', 'd', 'e'];

/** A worker, its control thread and the fleet's store, which can be away. */
class Gateway {
  readonly #settings: SharedStickySettings;
  readonly #desk: StickyDesk;
  harness: TestTable;
  /** What the store was asked. */
  readonly asked: string[] = [];

  constructor(settings: SharedStickySettings) {
    this.#settings = settings;
    const store = {
      get sticky() {
        return shared.store.sticky;
      },
      status: () => ({ connected: !shared.away, sinceMs: shared.sinceMs }),
    };
    this.#desk = new StickyDesk(store, new SessionBook(shared.clock));
    this.harness = this.#worker();
  }

  /** Has another worker in the place of the present one, which knows nothing. */
  replaceWorker(): void {
    const { nowMs } = this.harness;
    this.harness = this.#worker();
    this.harness.nowMs = nowMs;
  }

  /** Where a request goes, if the strategy would choose `choice`. */
  async at(user: string, choice = 'a', parts: { lines?: string; tier?: string; ip?: string } = {}) {
    const { lines = user === '' ? '' : `X-User: ${user}\r\n`, tier = '', ip = '10.0.0.1' } = parts;
    const found = visit(this.harness.pool, lines, peerAt(ip));
    if (found === undefined) return undefined;
    found.tier = tier;
    const choose = () => {
      const { eligible } = this.harness.pool;
      return eligible.find(({ id }) => id === choice) ?? eligible[0];
    };
    let slot = found.preferred([]);
    if (slot === undefined) {
      const { promise, resolve } = Promise.withResolvers<BackendSlot | undefined>();
      if (found.question === undefined) resolve(choose());
      else found.question.settle(choose, resolve);
      slot = await promise;
    }
    if (slot !== undefined) found.began(slot);
    return slot?.id;
  }

  advance(ms: number): void {
    this.harness.advance(ms);
    shared.clock.advance(ms);
  }

  #worker(): TestTable {
    const asks: StoreAsks = new StoreAsks(
      (id, question) => {
        this.asked.push(question.want.kind);
        void this.#desk.answer(question).then((answer) => asks.answered(id, answer));
      },
      () => this.harness.nowMs,
    );
    return new TestTable(
      BACKENDS.map((id) => row(id)),
      poolSettings({ sticky: this.#settings }),
      asks,
    );
  }
}

interface Shared {
  readonly clock: SimulatedClock;
  store: StateStore;
  away: boolean;
  sinceMs: number;
}

let shared: Shared;

beforeEach(() => {
  const clock = new SimulatedClock();
  shared = { clock, store: openEmbeddedStore({ clock }), away: false, sinceMs: 0 };
});

/** Lets what was asked be answered. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

function gateway(changes: Partial<SharedStickySettings> = {}): Gateway {
  return new Gateway({ ...byHeader, ...changes } as SharedStickySettings);
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
  other.harness.nowMs = one.harness.nowMs;
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
  await shared.store.close();
  shared.store = openEmbeddedStore({ clock: shared.clock });
  shared.sinceMs = shared.clock.now();
  one.replaceWorker();
  for (const [user, id] of users) expect(await one.at(user, 'a')).toBe(id);
  expect(await gateway().at('of-c', 'a')).toBe('c');
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
