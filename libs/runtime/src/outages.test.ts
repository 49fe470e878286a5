import { emptyFleet, noneCleared, type PoolSettings } from '@usher/domain';
import { StoreUnavailableError } from '@usher/ports';
import { SimulatedClock } from '@usher/testing';
import { beforeEach, expect, test } from 'vitest';
import { Outages } from './outages.ts';

let clock: SimulatedClock;
let log = { connected: true, sinceMs: 0 };
let store = { connected: true, sinceMs: 0 };
let held: string[];
let changes: string[];
let outages: Outages;

beforeEach(() => {
  clock = new SimulatedClock();
  log = { connected: true, sinceMs: 0 };
  store = { connected: true, sinceMs: 0 };
  held = ['scheduler', 'health', 'collector', 'gateway/gw-1'];
  changes = [];
  const state = emptyFleet();
  const settings = { health: { type: 'tcp' }, agents: true } as Partial<PoolSettings> as PoolSettings;
  state.pools.set('web', {
    settings,
    origin: 'config',
    panicBy: new Map(),
    seenBy: new Map(),
    cleared: noneCleared(),
    revision: 1,
  });
  outages = new Outages({
    clock,
    events: { status: () => log },
    store: {
      status: () => store,
      listLeases: async () => {
        if (!store.connected) throw new StoreUnavailableError('cut off');
        return held.map((name) => ({ name, owner: 'one' }));
      },
    },
    fleet: { state },
    onChange: ({ part }, over) => changes.push(`${part} ${over ? 'is back' : 'is away'}`),
  });
});

/** Looks once a second for so long. */
async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    clock.advance(1_000);
    await outages.look();
  }
}

test('nothing is said while everything is there', async () => {
  await pass(10);
  expect(outages.current).toEqual([]);
  expect(changes).toEqual([]);
});

test('an outage of the log or the store is known since it began, and told once at each end', async () => {
  const sinceMs = clock.now() + 500;
  log = { connected: false, sinceMs };
  store = { connected: false, sinceMs };
  await pass(5);
  expect(outages.current.map(({ part, sinceMs: since }) => [part, since])).toEqual([
    ['event_log', sinceMs],
    ['store', sinceMs],
  ]);
  log = { connected: true, sinceMs: clock.now() };
  store = log;
  await pass(2);
  expect(changes).toEqual(['event_log is away', 'store is away', 'event_log is back', 'store is back']);
});

test('a service is away when nobody has held its lease for a while, not while one hands over to another', async () => {
  held = ['health', 'collector'];
  await pass(2);
  held = ['scheduler', 'health', 'collector'];
  await pass(1);
  expect(changes).toEqual([]);
  held = [];
  const sinceMs = clock.now() + 1_000;
  await pass(5);
  expect(outages.current.map(({ part }) => part)).toEqual(['scheduler', 'health', 'collector']);
  expect(outages.current[0]?.sinceMs).toBe(sinceMs);
  held = ['scheduler', 'health', 'collector'];
  await pass(1);
  expect(changes.slice(-3)).toEqual(['scheduler is back', 'health is back', 'collector is back']);
});

test('what services are there is not known without the store, so what was known stays', async () => {
  held = ['health', 'collector'];
  await pass(5);
  store = { connected: false, sinceMs: clock.now() };
  held = [];
  await pass(5);
  expect(outages.current.map(({ part }) => part)).toEqual(['store', 'scheduler']);
});
