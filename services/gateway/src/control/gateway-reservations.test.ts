import { Agent } from 'node:http';
import { auditReservations } from '@usher/actors';
import { NO_RESOURCES } from '@usher/domain';
import { openEmbeddedStore } from '@usher/state-store';
import { wallClock } from '@usher/testing';
import { afterEach, expect, test, vi } from 'vitest';
import { startGateway } from '../index.ts';
import { policy, pool, route } from '../testing/fixtures.ts';
import { backendAt, TestFleet } from '../testing/fleet.ts';
import { ask, startBackend } from '../testing/http.ts';
import { sevenPlaces } from '../testing/seven-places.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 120_000 });

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

test.each([{ max: 0 }, { max: 1_000 }])(
  'of a thousand requests through four gateways seven are let in, and the others are refused, or wait in a queue of $max',
  async ({ max }) => {
    const store = openEmbeddedStore({ clock: wallClock });
    closing.push(() => store.close());
    const queue = { max, timeoutMs: 60_000 };
    const seen = await sevenPlaces({ store: async () => store, rounds: 2, requests: 1_000, queue });
    expect(seen.statuses).toEqual(max === 0 ? { 200: 14, 503: 1_986 } : { 200: 2_000 });
    expect(seen.most).toBe(7);
    expect(seen.left).toBe(0);
    expect(seen.audit).toMatchObject({ violations: [], proven: true });
  },
);

test('of ten thousand requests of which eight are under way at a time none is refused by a backend of eight cores', async () => {
  const fleet = new TestFleet();
  closing.push(() => fleet.close());
  const backend = await startBackend('b1');
  closing.push(() => backend.close());
  const tiers = [{ name: 'one', resources: { ...NO_RESOURCES, milliCpu: 1000 } }];
  const routes = [route({ id: 'all', path: '/*', pool: 'web', tier: { fieldBytesMax: 0, default: 'one' } })];
  const settings = pool({ tiers, reserve: 'request', queue: { max: 1_000, timeoutMs: 5_000 } });
  const capacity = { ...NO_RESOURCES, milliCpu: 8_000 };
  await fleet.configure([backendAt('b1', backend.url, { capacity })], { pools: [settings], routes });
  const fallback = { ...policy({ routes }), pools: [], backends: [] };
  const listen = [{ host: '127.0.0.1', port: 0 }];
  const gateway = await startGateway(fleet.context(), { listen, workers: 2 }, fallback);
  closing.push(() => gateway.stop());
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  closing.push(() => agent.destroy());
  const statuses = new Set<number>();
  let asked = 0;
  const client = async (): Promise<void> => {
    while (asked++ < 10_000) statuses.add((await ask(gateway.addresses[0]!.port, { agent })).status);
  };
  await Promise.all(Array.from({ length: 8 }, client));
  expect([...statuses]).toEqual([200]);
  await vi.waitFor(() => expect(fleet.fold.state.backends.get('b1')?.allocations.size).toBe(0), 10_000);
  expect(auditReservations(fleet.history)).toMatchObject({ pools: [{ steps: 20_000 }], proven: true });
});
