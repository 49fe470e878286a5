import type { Explanation } from '@usher/domain';
import { tempDir } from '@usher/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePorts } from './support/ports.ts';
import { UsherProcess } from './support/usher-process.ts';
import { until } from './support/wait.ts';

const LIMIT_MS = 120_000;
const BACKENDS = 150;
const DECISIONS = 1_000;
const PARIS = { latitude: 48.85, longitude: 2.35 };
const NEW_YORK = { latitude: 40.71, longitude: -74 };

let directory: ReturnType<typeof tempDir>;
let usher: UsherProcess;
let api: string;

beforeAll(async () => {
  directory = tempDir();
  const { traffic: port } = await freePorts();
  api = `http://127.0.0.1:${port}`;
  usher = await UsherProcess.start({
    directory: directory.path,
    config: `
opsen: { address: "127.0.0.1:${port}", pool: infer, keys: [a-key] }
pools:
  infer:
    strategy: resource
    agents: true
    health: { type: none }
    tiers: [{ name: lite, vcpu: 1, memory: 1GiB }, { name: gpu, vcpu: 1, gpus: 1, gpu_memory: 16GiB }]
routes: [{ path: "/*", pool: infer, tier: { header: X-Tier, default: lite } }]
`,
  });
}, LIMIT_MS);

afterAll(async () => {
  await usher.stop();
  directory.remove();
}, LIMIT_MS);

async function post(path: string, body: object): Promise<readonly [number, Record<string, unknown>]> {
  const headers = { 'content-type': 'application/json', 'x-api-key': 'a-key' };
  const response = await fetch(api + path, { method: 'POST', headers, body: JSON.stringify(body) });
  const text = await response.text();
  return [response.status, text.startsWith('{') ? JSON.parse(text) : { text }];
}

const addressOf = (index: number) => `10.1.${index >> 8}.${index & 255}`;

async function register(index: number, place = {}): Promise<void> {
  const client = {
    client_id: `client-${index}`,
    hostname: `host-${index}`,
    local_ip: addressOf(index),
    ...place,
  };
  expect(await post('/register', client)).toEqual([200, { status: 'registered' }]);
}

async function report(index: number, changes = {}): Promise<void> {
  const stats = {
    client_id: `client-${index}`,
    hostname: `host-${index}`,
    cpu_usage_avg: [10, 10, 10, 10],
    memory_total_gb: 16,
    memory_used_gb: 4,
    memory_avail_gb: 12,
    disk_total_gb: 100,
    disk_used_gb: 10,
    disk_avail_gb: 90,
    ...changes,
  };
  expect(await post('/stats', stats)).toEqual([200, { status: 'ok' }]);
}

/** How many of the backends that are known could take a request of the tier, as the gateway sees it. */
async function fitting(tier: string): Promise<number> {
  const { candidates } = await usher.json<Explanation>('route', 'explain', 'http://a/', '--tier', tier);
  return candidates.filter(({ reason }) => reason === 'ok').length;
}

describe('clients of Opsen', () => {
  test(
    'two cities pick their local backend at equal load',
    async () => {
      await register(0, PARIS);
      await register(1, NEW_YORK);
      await Promise.all([report(0), report(1)]);
      await until('both fit', async () => (await fitting('lite')) === 2);
      for (let repeat = 0; repeat < 10; repeat++) {
        const london = { tier: 'lite', client_ip: '192.0.2.1', client_lat: 51.5, client_lon: -0.12 };
        const [, near] = await post('/route', london);
        expect(near).toEqual({
          client_id: 'client-0',
          endpoint: 'http://10.1.0.0:11000',
          hostname: 'host-0',
          distance_km: expect.closeTo(343, -1) as number,
        });
        const [, far] = await post('/route', { ...london, client_lat: 42.36, client_lon: -71.06 });
        expect(far).toMatchObject({ client_id: 'client-1', hostname: 'host-1' });
      }
    },
    LIMIT_MS,
  );

  test(
    'a tier that is none, and one that nobody has the resources for, are told apart',
    async () => {
      expect(await post('/route', { tier: 'huge' })).toEqual([400, { text: 'Unknown tier: huge\n' }]);
      expect(await post('/route', { tier: 'gpu' })).toEqual([
        503,
        { text: 'No available clients with sufficient resources\n' },
      ]);
    },
    LIMIT_MS,
  );

  test(
    `of ${BACKENDS} that register, ${DECISIONS} concurrent decisions each get one that fits`,
    async () => {
      const added = Array.from({ length: BACKENDS - 2 }, (_, at) => at + 2);
      await Promise.all(added.map((index) => register(index, PARIS)));
      // Every tenth is busy, and must not be chosen.
      await Promise.all(
        added.map((index) => report(index, index % 10 === 0 ? { cpu_usage_avg: [99, 99] } : {})),
      );
      const busy = added.filter((index) => index % 10 === 0).length;
      await until('all fit that are not busy', async () => (await fitting('lite')) === BACKENDS - busy);
      const health = await fetch(`${api}/health`);
      expect(await health.json()).toMatchObject({ total_clients: BACKENDS, active_clients: BACKENDS });
      const wish = { tier: 'lite', client_ip: '192.0.2.1', client_lat: 48.85, client_lon: 2.35 };
      const answers = await Promise.all(Array.from({ length: DECISIONS }, () => post('/route', wish)));
      expect(answers.filter(([status]) => status !== 200)).toEqual([]);
      const chosen = new Map<unknown, number>();
      for (const [, { client_id }] of answers) chosen.set(client_id, (chosen.get(client_id) ?? 0) + 1);
      const excluded = [
        'client-1',
        ...added.filter((index) => index % 10 === 0).map((index) => `client-${index}`),
      ];
      for (const client of excluded) expect(chosen.has(client)).toBe(false);
      // Those that are as good as each other share: about eight each.
      expect(chosen.size).toBeGreaterThan(100);
      expect(Math.max(...chosen.values())).toBeLessThan(40);
    },
    LIMIT_MS,
  );
});
