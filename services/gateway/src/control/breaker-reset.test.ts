import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startGateway } from '../index.ts';
import { policy, pool, route } from '../testing/fixtures.ts';
import { backendAt, TestFleet } from '../testing/fleet.ts';
import { ask, startBackend, until } from '../testing/http.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

let fleet: TestFleet;
const closing: (() => unknown)[] = [];

beforeEach(() => {
  fleet = new TestFleet();
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  await fleet.close();
});

const routes = [
  route({ id: 'zip', path: '/zip/*', pool: 'web', plugins: [{ name: 'gzip', options: {} }] }),
  route({ id: 'all', path: '/*', pool: 'web' }),
];

test.each([
  ['wire', '/x'],
  ['plugin', '/zip/x'],
])(
  'a reset closes the gateway’s own breaker in the %s lane, which would stay open for long',
  async (_lane, path) => {
    let [well, served] = [false, 0];
    const bad = await startBackend('bad', (_request, response) => {
      served += 1;
      response.writeHead(well ? 200 : 500).end();
    });
    const good = await startBackend('good');
    closing.push(
      () => bad.close(),
      () => good.close(),
    );
    const breaker = { ...pool().breaker, enabled: true, failures: 2, openForMs: 3_600_000 };
    const passive = undefined;
    await fleet.configure([backendAt('bad', bad.url), backendAt('good', good.url)], {
      pools: [pool({ breaker, passive, panic: 0 })],
      routes,
    });
    const fallback = { ...policy({ routes }), pools: [], backends: [] };
    const listen = [{ host: '127.0.0.1', port: 0 }];
    const gateway = await startGateway(fleet.context(), { listen, workers: 1 }, fallback);
    closing.push(() => gateway.stop());
    const { port } = gateway.addresses[0]!;
    await until(async () => {
      await ask(port, { path });
      return fleet.seen('breaker.tripped').length === 1;
    }, 'the breaker is open');
    [well, served] = [true, 0];
    for (let each = 0; each < 20; each++) await ask(port, { path });
    expect(served).toBe(0);
    await fleet.append({ type: 'breaker.closed', subject: 'bad', data: { backend: 'bad', reset: true } });
    await until(async () => {
      await ask(port, { path });
      return served > 0;
    }, 'the backend gets requests again');
  },
);
