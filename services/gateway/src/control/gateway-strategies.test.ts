import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startGateway } from '../index.ts';
import { policy, pool, route } from '../testing/fixtures.ts';
import { backendAt, TestFleet } from '../testing/fleet.ts';
import { ask, startBackend } from '../testing/http.ts';

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

async function gatewayWith(settings: Parameters<typeof pool>[0]): Promise<number> {
  const backends = [];
  for (const id of ['b1', 'b2', 'b3', 'b4']) {
    const backend = await startBackend(id);
    closing.push(() => backend.close());
    backends.push(backendAt(id, backend.url));
  }
  await fleet.configure(backends, { pools: [pool(settings)], routes });
  const fallback = { ...policy({ routes }), pools: [], backends: [] };
  const listen = [{ host: '127.0.0.1', port: 0 }];
  const gateway = await startGateway(fleet.context(), { listen, workers: 3 }, fallback);
  closing.push(() => gateway.stop());
  return gateway.addresses[0]!.port;
}

async function servedBy(port: number, user: string, path = '/x'): Promise<string> {
  return (await ask(port, { path, headers: { 'x-user': user } })).text;
}

test('all workers and both lanes of a gateway send a key to the same backend', async () => {
  const port = await gatewayWith({ strategy: 'maglev', hash: { by: 'header', name: 'x-user' } });
  const seen = new Set<string>();
  for (let user = 0; user < 12; user++) {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, each) =>
        servedBy(port, `user-${user}`, each % 2 === 0 ? '/x' : '/zip/x'),
      ),
    );
    expect(new Set(answers).size).toBe(1);
    seen.add(answers[0]!);
  }
  expect(seen.size).toBeGreaterThan(2);
});

test('a strategy of one’s own serves from the first request on, in all workers', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'usher-strategy-'));
  closing.push(() => rmSync(folder, { recursive: true }));
  const strategyFile = join(folder, 'third.ts');
  writeFileSync(
    strategyFile,
    'await new Promise((resolve) => setTimeout(resolve, 1000));\n' +
      'interface Backend { readonly id: string }\n' +
      'export default (backends: readonly Backend[]) => backends.find(({ id }) => id === "b3") ?? backends[0];\n',
  );
  const port = await gatewayWith({ strategy: 'custom', strategyFile });
  const answers = await Promise.all(Array.from({ length: 30 }, (_, user) => servedBy(port, `user-${user}`)));
  expect(new Set(answers)).toEqual(new Set(['b3']));
});
