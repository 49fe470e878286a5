import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Gateway, startGateway } from '../index.ts';
import { policy, pool, route } from '../testing/fixtures.ts';
import { backendAt, TestFleet } from '../testing/fleet.ts';
import { ask, startBackend } from '../testing/http.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 60_000 });
const LIMIT_MS = 20_000;

let fleet: TestFleet;
const closing: (() => unknown)[] = [];

beforeEach(() => {
  fleet = new TestFleet();
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  await fleet.close();
});

/** A gateway with two workers, one of which `/crash` ends; `how` is for the plugin. */
async function start(how: string): Promise<Gateway & { readonly port: number }> {
  const backend = await startBackend('one');
  closing.push(() => backend.close());
  const file = new URL('../testing/crash-plugin.mjs', import.meta.url).pathname;
  const plugins = [{ name: 'crash', file, options: { how } }];
  const routes = [
    route({ id: 'crash', path: '/crash', pool: 'web', plugins }),
    route({ id: 'all', path: '/*', pool: 'web' }),
  ];
  const fallback = { ...policy({ routes }), pools: [pool()], backends: [backendAt('one', backend.url)] };
  const listen = [{ host: '127.0.0.1', port: 0 }];
  const gateway = await startGateway(fleet.context(), { listen, workers: 2 }, fallback);
  closing.push(() => gateway.stop());
  return Object.assign(gateway, { port: gateway.addresses[0]!.port });
}

/** How many workers have ended. */
function ended(): number {
  return fleet.log.entries.filter(({ message }) => message === 'a gateway worker ended').length;
}

test.each(['throw', 'reject', 'exit'])(
  'a worker that a plugin ends (%s) is started again, and the others go on',
  async (how) => {
    const gateway = await start(how);
    await expect(ask(gateway.port, { path: '/crash' })).rejects.toThrow();
    await vi.waitFor(() => expect(ended()).toBe(1), LIMIT_MS);
    expect((await ask(gateway.port, { path: '/' })).text).toBe('one');
    await vi.waitFor(() => expect(gateway.fault()).toBeUndefined(), LIMIT_MS);
    for (let each = 0; each < 20; each++) expect((await ask(gateway.port, { path: '/' })).text).toBe('one');
    expect(await fleet.metrics.sum('usher_worker_restarts_total')).toBe(1);
  },
);

test('a worker that is stuck is ended and started again: nobody would serve its connections', async () => {
  const { clock } = fleet;
  const every = clock.every.bind(clock);
  vi.spyOn(clock, 'every').mockImplementation((ms, callback) => every(ms === 1_000 ? 200 : ms, callback));
  closing.push(() => vi.restoreAllMocks());
  const gateway = await start('spin');
  await expect(ask(gateway.port, { path: '/crash' })).rejects.toThrow();
  await vi.waitFor(() => expect(ended()).toBe(1), LIMIT_MS);
  expect(fleet.log.entries.map(({ message }) => message)).toContain('a gateway worker is stuck and is ended');
  await vi.waitFor(() => expect(gateway.fault()).toBeUndefined(), LIMIT_MS);
  for (let each = 0; each < 20; each++) expect((await ask(gateway.port, { path: '/' })).text).toBe('one');
});

test('one that ends again and again is waited for longer each time', async () => {
  const delaysMs: number[] = [];
  const { clock } = fleet;
  const after = vi.spyOn(clock, 'after');
  closing.push(() => after.mockRestore());
  const gateway = await start('throw');
  for (let death = 1; death <= 5; death++) {
    after.mockClear();
    await expect(ask(gateway.port, { path: '/crash' })).rejects.toThrow();
    await vi.waitFor(() => expect(ended()).toBe(death), LIMIT_MS);
    const place = after.mock.calls.find(([ms]) => [50, 100, 200, 400].includes(ms));
    delaysMs.push(place?.[0] ?? 0);
    await vi.waitFor(() => expect(gateway.fault()).toBeUndefined(), LIMIT_MS);
  }
  // Of two places, one has been hit three times at least.
  expect(Math.max(...delaysMs)).toBeGreaterThanOrEqual(200);
  expect(delaysMs[0]).toBe(50);
});
