import { setImmediate } from 'node:timers/promises';
import { envelop } from '@usher/events';
import { StoreUnavailableError } from '@usher/ports';
import { openEmbeddedStore } from '@usher/state-store';
import { SimulatedClock } from '@usher/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TestFleet } from '../testing/fleet.ts';
import { until } from '../testing/http.ts';
import { Facts } from './facts.ts';
import { Presence } from './presence.ts';

let fleet: TestFleet;
let clock: SimulatedClock;
const closing: (() => unknown)[] = [];
beforeEach(() => {
  fleet = new TestFleet();
  clock = new SimulatedClock();
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await fleet.close();
});

function present() {
  const store = openEmbeddedStore({ clock });
  closing.push(() => store.close());
  const context = fleet.context({ clock, store });
  const presence = new Presence(context, new Facts(context), 2);
  presence.start();
  closing.push(() => presence.stop());
  const leased = async () => (await store.listLeases('gateway/')).length === 1;
  return { presence, store, leased };
}

describe('the lease of a gateway', () => {
  test('is kept as long as the gateway lives and given up when it stops', async () => {
    const { presence, leased } = present();
    await until(leased, 'it holds the lease');
    for (let step = 0; step < 20; step++) {
      clock.advance(3_000);
      expect(await leased()).toBe(true);
    }
    await presence.stop();
    expect(await leased()).toBe(false);
    expect(clock.timers).toBe(1);
  });

  test('that cannot be renewed is reported once, and its return once', async () => {
    const { store, leased } = present();
    await until(leased, 'it holds the lease');
    const acquire = store.acquireLease.bind(store);
    store.acquireLease = async () => {
      throw new StoreUnavailableError('gone');
    };
    for (let step = 0; step < 5; step++) clock.advance(3_000);
    await until(() => fleet.log.entries.length > 0, 'it is reported');
    expect(fleet.log.entries.map(({ level }) => level)).toEqual(['warn']);
    store.acquireLease = acquire;
    clock.advance(3_000);
    await until(() => fleet.log.entries.length === 2, 'its return is reported');
    expect(await leased()).toBe(true);
  });

  test('held by another process of the same name is a fault, once it is sure that the other lives', async () => {
    const store = openEmbeddedStore({ clock });
    closing.push(() => store.close());
    await store.acquireLease('gateway/gw-1', 'somebody', 60_000);
    const context = fleet.context({ clock, store });
    const presence = new Presence(context, new Facts(context), 1);
    presence.start();
    closing.push(() => presence.stop());
    clock.advance(9_000);
    await setImmediate();
    expect(presence.fault).toBeUndefined();
    await until(() => {
      clock.advance(1_000);
      return presence.fault !== undefined;
    }, 'it is a fault');
    expect(fleet.log.entries).toMatchObject([{ level: 'error', fields: { holder: 'somebody' } }]);
    await store.releaseLease('gateway/gw-1', 'somebody');
    await until(() => {
      clock.advance(1_000);
      return presence.fault === undefined;
    }, 'the name is free');
  });

  test('held by a process of the same name that was killed is no fault, whatever the clock is set to meanwhile', async () => {
    const store = openEmbeddedStore({ clock });
    closing.push(() => store.close());
    await store.acquireLease('gateway/gw-1', 'killed', 10_000);
    let aheadMs = 0;
    const set = {
      now: () => clock.now() + aheadMs,
      steady: () => clock.steady(),
      after: clock.after.bind(clock),
      every: clock.every.bind(clock),
    };
    const context = fleet.context({ clock: set, store });
    const presence = new Presence(context, new Facts(context), 1);
    presence.start();
    closing.push(() => presence.stop());
    aheadMs = 60_000;
    for (let step = 0; step < 6; step++) {
      clock.advance(3_000);
      await setImmediate();
      expect(presence.fault).toBeUndefined();
    }
    expect(await store.listLeases('gateway/')).not.toMatchObject([{ owner: 'killed' }]);
  });
});

describe('what a gateway says of itself', () => {
  test('is said again until the outbox takes it, and then no more', () => {
    const taken: string[] = [];
    let full = true;
    const outbox = {
      pending: 0,
      flush: async () => {},
      offer: (_subject: string, events: readonly { type: string }[]) => {
        if (!full) taken.push(...events.map(({ type }) => type));
        return !full;
      },
    };
    const presence = new Presence(fleet.context(), new Facts(fleet.context({ outbox })), 1);
    presence.announce();
    full = false;
    presence.announce();
    presence.announce();
    expect(taken).toEqual(['gateway.started']);
    const [lost, other] = envelop(
      ['gw-1', 'gw-2'].map((gateway) => ({
        type: 'gateway.lost',
        subject: gateway,
        data: { gateway, cause: 'silent' },
      })),
      { source: 'usher/scheduler/test', timeMs: 0, actor: 'test' },
      () => 'id',
    );
    presence.follow(other!);
    presence.follow(lost!);
    expect(taken).toEqual(['gateway.started', 'gateway.started']);
    presence.retire();
    presence.announce();
    expect(taken.slice(2)).toEqual(['gateway.stopped']);
  });
});
