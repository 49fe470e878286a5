import { type BackendStats, NO_RESOURCES, type PoolSettings, type TierDetection } from '@usher/domain';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startGateway } from '../index.ts';
import { policy, pool, route } from '../testing/fixtures.ts';
import { backendAt, TestFleet } from '../testing/fleet.ts';
import { ask, startBackend } from '../testing/http.ts';
import { BY_COOKIE, BY_HEADER } from '../testing/sticky-gateway.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

let fleet: TestFleet;

beforeEach(() => {
  fleet = new TestFleet();
});
afterEach(async () => {
  await fleet.close();
});

const GIB = 2 ** 30;
const TIERS = [
  { name: 'small', resources: { ...NO_RESOURCES, milliCpu: 1000 } },
  { name: 'large', resources: { ...NO_RESOURCES, milliCpu: 4000, memoryBytes: 8 * GIB } },
];

function stats(busyCores: number, memoryUsedGib: number): BackendStats {
  return {
    atMs: Date.now(),
    coresPercent: Array.from({ length: 4 }, (_, core) => (core < busyCores ? 95 : 5)),
    memoryUsedBytes: memoryUsedGib * GIB,
    memoryTotalBytes: 16 * GIB,
    diskUsedBytes: 0,
    diskTotalBytes: GIB,
    gpus: [],
  };
}

async function report(backend: string, busyCores: number, memoryUsedGib = 2): Promise<void> {
  const data = { backend, stats: stats(busyCores, memoryUsedGib) };
  await fleet.append({ type: 'backend.stats_reported', subject: backend, data });
}

/** A gateway with two backends that echo what they were sent. */
async function gatewayWith(settings: Partial<PoolSettings>, tier: TierDetection): Promise<number> {
  const backends = [];
  for (const id of ['b1', 'b2']) {
    const backend = await startBackend(id, (request, response) => {
      response.setHeader('x-backend', id);
      request.pipe(response);
    });
    fleet.onClose(() => backend.close());
    backends.push(backendAt(id, backend.url));
  }
  const routes = [route({ id: 'all', path: '/*', pool: 'web', tier })];
  await fleet.configure(backends, { pools: [pool({ tiers: TIERS, ...settings })], routes });
  const fallback = { ...policy({ routes }), pools: [], backends: [] };
  const listen = [{ host: '127.0.0.1', port: 0 }];
  const gateway = await startGateway(fleet.context(), { listen, workers: 2 }, fallback);
  fleet.onClose(() => gateway.stop());
  return gateway.addresses[0]!.port;
}

const HEADER = { fieldBytesMax: 0, header: 'x-tier', query: 'tier', default: 'small' };

describe('strategy resource', () => {
  const resource = { strategy: 'resource', agents: true } as const;

  test('sends a request only to backends that have what its tier needs', async () => {
    const port = await gatewayWith(resource, HEADER);
    await report('b1', 1);
    await report('b2', 0);
    const seen = async (tier: string) =>
      (await ask(port, { path: '/x', headers: { 'x-tier': tier } })).headers['x-backend'];
    await vi.waitFor(async () => expect(await seen('large')).toBe('b2'), 10_000);
    for (let each = 0; each < 10; each++) expect(await seen('large')).toBe('b2');
    await report('b2', 2);
    await vi.waitFor(async () => {
      const answer = await ask(port, { path: '/x', headers: { 'x-tier': 'large' } });
      expect(answer.status).toBe(503);
      expect(JSON.parse(answer.text)).toMatchObject({ code: 'no_capacity' });
    }, 10_000);
    expect(await seen('small')).toMatch(/b[12]/);
  });

  test('prefers the backend with less load', async () => {
    const port = await gatewayWith(resource, HEADER);
    await report('b1', 0, 8);
    await report('b2', 0, 2);
    const query = async () => (await ask(port, { path: '/x?tier=small' })).headers['x-backend'];
    await vi.waitFor(async () => expect(await query()).toBe('b2'), 10_000);
    for (let each = 0; each < 10; each++) expect(await query()).toBe('b2');
    await report('b1', 0, 2);
    await report('b2', 0, 8);
    await vi.waitFor(async () => expect(await query()).toBe('b1'), 10_000);
  });
});

describe.each([
  ['cookie', BY_COOKIE],
  ['header', BY_HEADER],
] as const)('a session by %s', (_name, sticky) => {
  test('goes to another backend only with the tiers that its own has too little for', async () => {
    const port = await gatewayWith({ strategy: 'resource', agents: true, sticky }, HEADER);
    await report('b1', 1);
    await report('b2', 0, 3);
    let cookie = '';
    const seen = async (tier: string, user = 'mara') => {
      const headers = { 'x-tier': tier, 'x-user': user, cookie: user === 'mara' ? cookie : '' };
      const answer = await ask(port, { path: '/x', headers });
      const [set] = answer.headers['set-cookie'] ?? [];
      if (set !== undefined && user === 'mara') cookie = set.slice(0, set.indexOf(';'));
      return answer.headers['x-backend'];
    };
    let users = 0;
    const settled = async () => [await seen('small', `${users++}`), await seen('large', `${users++}`)];
    await vi.waitFor(async () => expect(await settled()).toEqual(['b1', 'b2']), 10_000);
    expect(await seen('small')).toBe('b1');
    for (let each = 0; each < 5; each++) {
      expect(await seen('large')).toBe('b2');
      expect(await seen('small')).toBe('b1');
    }
  });
});

describe('tiers', () => {
  const FIELD = { field: 'tier', fieldBytesMax: 100_000, header: 'x-tier', default: 'small' };

  test('a tier that the pool has not is refused with 400 in both lanes', async () => {
    const port = await gatewayWith({}, HEADER);
    const answer = await ask(port, { path: '/x', headers: { 'x-tier': 'huge' } });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({
      code: 'unknown_tier',
      detail: 'there is no tier "huge"',
    });
    expect((await ask(port, { path: '/x', headers: { 'x-tier': 'large' } })).status).toBe(200);
  });

  test.each([
    ['with a length', false],
    ['chunked', true],
  ])('a body that names the tier reaches the backend byte for byte: %s', async (_name, chunked) => {
    const port = await gatewayWith({}, FIELD);
    for (const padding of [0, 70_000, 200_000]) {
      const body = Buffer.from(`{ "tier" : "large",\n\t"pad": "${'é'.repeat(padding / 2)}" }`);
      const headers: Record<string, string> = chunked
        ? { 'transfer-encoding': 'chunked' }
        : { 'content-length': String(body.length) };
      const answer = await ask(port, { method: 'POST', path: '/x', headers, body });
      expect(answer.status).toBe(200);
      expect(answer.body.equals(body)).toBe(true);
    }
  });

  test.each([
    ['the wire lane', HEADER],
    ['the plugin lane', FIELD],
  ])('of several lines of the header the first counts in %s', async (_lane, detection) => {
    const port = await gatewayWith({}, detection);
    const status = async (...tiers: string[]) =>
      (await ask(port, { path: '/x', headers: { 'x-tier': tiers } })).status;
    expect(await status('large', 'huge')).toBe(200);
    expect(await status('huge', 'large')).toBe(400);
    expect(await status('large, small')).toBe(400);
  });

  test('the field of the body counts before the header, and bodies that are too long or no JSON have none', async () => {
    const port = await gatewayWith({}, { ...FIELD, fieldBytesMax: 1000 });
    const tierOf = async (body: string, header: string) =>
      (
        await ask(port, {
          method: 'POST',
          path: '/x',
          headers: { 'x-tier': header },
          body: Buffer.from(body),
        })
      ).status;
    expect(await tierOf('{"tier":"huge"}', 'small')).toBe(400);
    expect(await tierOf('{"tier":"large"}', 'huge')).toBe(200);
    expect(await tierOf('{"tier":7}', 'huge')).toBe(400);
    expect(await tierOf('not json', 'huge')).toBe(400);
    expect(await tierOf('not json', 'large')).toBe(200);
    expect(await tierOf(`{"pad":"${'x'.repeat(2000)}","tier":"huge"}`, 'small')).toBe(200);
  });
});
