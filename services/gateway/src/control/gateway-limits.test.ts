import { createServer } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startGateway } from '../index.ts';
import { policy, pool, route } from '../testing/fixtures.ts';
import { backendAt, TestFleet } from '../testing/fleet.ts';
import { ask, listen, until } from '../testing/http.ts';

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

/** A backend that knows how many requests it ever had at a time. */
async function counting() {
  const seen = { now: 0, most: 0, all: 0 };
  const server = createServer((request, response) => {
    seen.now += 1;
    seen.all += 1;
    seen.most = Math.max(seen.most, seen.now);
    request.resume().on('end', () =>
      setImmediate(() => {
        seen.now -= 1;
        response.end('ok');
      }),
    );
  });
  const url = `http://127.0.0.1:${await listen(server)}`;
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url, seen };
}

const gzip = [{ name: 'gzip', options: {} }];
const routes = [
  route({ id: 'zip', path: '/zip/*', pool: 'web', plugins: gzip }),
  route({ id: 'all', path: '/*', pool: 'web' }),
];

test('all workers and both lanes of a gateway keep a limit together, and every request is served', async () => {
  const { url, seen } = await counting();
  const queue = { max: 1_000, timeoutMs: 20_000 };
  const changes = { pools: [pool({ queue })], routes };
  await fleet.configure([backendAt('b1', url, { maxConnections: 2 })], changes);
  const fallback = { ...policy({ routes }), pools: [], backends: [] };
  const settings = { listen: [{ host: '127.0.0.1', port: 0 }], workers: 3 };
  const gateway = await startGateway(fleet.context(), settings, fallback);
  closing.push(() => gateway.stop());
  const { port } = gateway.addresses[0]!;
  const asking = Array.from({ length: 150 }, (_, each) =>
    ask(port, { path: each % 3 === 0 ? '/zip/x' : '/x', method: each % 2 === 0 ? 'GET' : 'POST' }),
  );
  const answers = await Promise.all(asking);
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  expect(seen).toEqual({ now: 0, most: 2, all: 150 });
  const served = { pool: 'web', outcome: 'served' };
  await until(
    async () => (await fleet.metrics.sum('usher_queue_exits_total', served)) > 0,
    'those who waited are counted',
  );
  const waited = await fleet.metrics.sum('usher_queue_exits_total', served);
  expect(await fleet.metrics.observed('usher_queue_wait_seconds')).toBe(waited);
  expect(await fleet.metrics.sum('usher_queue_requests')).toBe(0);
});
