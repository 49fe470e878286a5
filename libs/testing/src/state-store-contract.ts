import type { StateStore } from '@usher/ports';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { testRates } from './rate-contract.ts';
import { testReservations } from './reservation-contract.ts';
import { testSticky } from './sticky-contract.ts';

/** Long enough that nothing expires while a test runs. */
const LONG_MS = 60_000;
const SHORT_MS = 40;
const PASSES_MAX = 1_000;

export interface StateStoreSubject {
  /** A store that nobody has written to. */
  readonly store: StateStore;
  /** Lets a few milliseconds pass by the store's clock. */
  pass(): Promise<void>;
  stop(): Promise<void>;
}

/** What every driver of the StateStore port must do. */
export function testStateStore(driver: string, open: () => Promise<StateStoreSubject>): void {
  describe(`state store, ${driver}`, () => {
    let subject: StateStoreSubject;
    beforeEach(async () => {
      subject = await open();
    });
    afterEach(() => subject.stop());

    testLeases(() => subject);
    testValues(() => subject);
    testReservations(() => subject);
    testSticky(() => subject);
    testRates(() => subject);

    test('says that it is connected', () => {
      expect(subject.store.status().connected).toBe(true);
    });
  });
}

function testLeases(subject: () => StateStoreSubject): void {
  test('a free lease goes to the first who asks, and nobody else gets it', async () => {
    const { store } = subject();
    expect(await store.acquireLease('scheduler', 'a', LONG_MS)).toEqual({ held: true, owner: 'a' });
    expect(await store.acquireLease('scheduler', 'b', LONG_MS)).toEqual({ held: false, owner: 'a' });
  });

  test('of many who ask at once exactly one gets the lease, and all hear the same owner', async () => {
    const { store } = subject();
    const asked = Array.from({ length: 50 }, (_, i) => store.acquireLease('scheduler', `s${i}`, LONG_MS));
    const results = await Promise.all(asked);
    expect(results.filter((result) => result.held)).toHaveLength(1);
    expect(new Set(results.map((result) => result.owner)).size).toBe(1);
  });

  test('the owner keeps a lease by acquiring it again, for longer than it lasts once', async () => {
    const { store } = subject();
    await store.acquireLease('health', 'a', SHORT_MS);
    expect((await store.acquireLease('health', 'a', LONG_MS)).held).toBe(true);
    await store.acquireLease('short', 'a', SHORT_MS);
    await until(subject(), async () => (await store.acquireLease('short', 'b', LONG_MS)).held);
    expect(await store.acquireLease('health', 'b', LONG_MS)).toEqual({ held: false, owner: 'a' });
  });

  test('a lease that was not kept up is free for others', async () => {
    const { store } = subject();
    await store.acquireLease('health', 'a', SHORT_MS);
    await until(subject(), async () => (await store.acquireLease('health', 'b', LONG_MS)).held);
    expect(await store.acquireLease('health', 'a', LONG_MS)).toEqual({ held: false, owner: 'b' });
  });

  test('only its owner can give a lease up', async () => {
    const { store } = subject();
    await store.acquireLease('health', 'a', LONG_MS);
    expect(await store.releaseLease('health', 'b')).toBe(false);
    expect((await store.acquireLease('health', 'b', LONG_MS)).held).toBe(false);
    expect(await store.releaseLease('health', 'a')).toBe(true);
    expect(await store.releaseLease('health', 'a')).toBe(false);
    expect((await store.acquireLease('health', 'b', LONG_MS)).held).toBe(true);
  });

  test('lists the leases below a prefix with their owners, and none that has run out', async () => {
    const { store } = subject();
    await store.acquireLease('gateway.gw 1', 'gw 1', LONG_MS);
    await store.acquireLease('gateway.*', 'gw-2', LONG_MS);
    await store.acquireLease('gateway.gw-3', 'gw-3', SHORT_MS);
    await store.acquireLease('gateways', 'x', LONG_MS);
    await until(subject(), async () => (await store.listLeases('gateway.')).length === 2);
    const leases = await store.listLeases('gateway.');
    expect(leases.toSorted((a, b) => a.owner.localeCompare(b.owner))).toEqual([
      { name: 'gateway.gw 1', owner: 'gw 1' },
      { name: 'gateway.*', owner: 'gw-2' },
    ]);
    expect(await store.listLeases('none.')).toEqual([]);
    expect(await store.listLeases('')).toHaveLength(3);
  });
}

function testValues(subject: () => StateStoreSubject): void {
  test('a value is there until it is deleted', async () => {
    const { store } = subject();
    expect(await store.get('k')).toBeUndefined();
    await store.set('k', 'v', LONG_MS);
    await store.set('k', 'w', LONG_MS);
    expect(await store.get('k')).toBe('w');
    expect(await store.delete('k')).toBe(true);
    expect(await store.delete('k')).toBe(false);
    expect(await store.get('k')).toBeUndefined();
  });

  test('a value disappears when its time is over, and setting it again starts the time anew', async () => {
    const { store } = subject();
    await store.set('gone', 'v', SHORT_MS);
    await store.set('kept', 'v', SHORT_MS);
    await store.set('kept', 'v', LONG_MS);
    await until(subject(), async () => (await store.get('gone')) === undefined);
    expect(await store.get('kept')).toBe('v');
    expect(await store.delete('gone')).toBe(false);
  });

  test('setting a value only if absent answers with the value that is there', async () => {
    const { store } = subject();
    expect(await store.setIfAbsent('k', 'first', LONG_MS)).toBe('first');
    expect(await store.setIfAbsent('k', 'second', LONG_MS)).toBe('first');
    expect(await store.get('k')).toBe('first');
  });

  test('of many who set an absent value at once all get the same one', async () => {
    const { store } = subject();
    const set = Array.from({ length: 50 }, (_, i) => store.setIfAbsent('k', `v${i}`, LONG_MS));
    expect(new Set(await Promise.all(set)).size).toBe(1);
  });

  test('a value that was set because it was absent also disappears, and can be set again', async () => {
    const { store } = subject();
    await store.setIfAbsent('k', 'first', SHORT_MS);
    await until(subject(), async () => (await store.setIfAbsent('k', 'second', LONG_MS)) === 'second');
  });

  test('values and leases of the same name have nothing to do with each other', async () => {
    const { store } = subject();
    await store.set('leases', 'v', LONG_MS);
    await store.acquireLease('k', 'a', LONG_MS);
    await store.set('k', 'v', LONG_MS);
    await store.delete('k');
    expect(await store.acquireLease('k', 'b', LONG_MS)).toEqual({ held: false, owner: 'a' });
  });

  test('keeps every character of keys and values', async () => {
    const { store } = subject();
    const odd = 'ü 試\n\0"\\';
    await store.set(odd, odd, LONG_MS);
    expect(await store.get(odd)).toBe(odd);
    expect(await store.setIfAbsent(odd, 'x', LONG_MS)).toBe(odd);
  });
}

async function until(subject: StateStoreSubject, holds: () => Promise<boolean>): Promise<void> {
  for (let passes = 0; passes < PASSES_MAX; passes++) {
    if (await holds()) return;
    await subject.pass();
  }
  throw new Error('what was waited for did not happen');
}
