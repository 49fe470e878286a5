import { type BackendStats, type Explanation, NO_RESOURCES, type PoolSettings } from '@usher/domain';
import { EmbeddedBus } from '@usher/event-log';
import type { RouteAnswer } from '@usher/events';
import type { MessageBus } from '@usher/ports';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startGateway } from '../index.ts';
import { policy, pool, route } from '../testing/fixtures.ts';
import { backendAt, TestFleet } from '../testing/fleet.ts';
import { ask, startBackend } from '../testing/http.ts';
import { BY_HEADER } from '../testing/sticky-gateway.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 60_000 });

let fleet: TestFleet;
let bus: MessageBus;
let held: (() => void)[];

beforeEach(() => {
  fleet = new TestFleet();
  bus = new EmbeddedBus(fleet.clock, fleet.log);
  held = [];
});
afterEach(async () => {
  for (const release of held) release();
  await fleet.close();
});

const GIB = 2 ** 30;
const TIERS = [
  { name: 'small', resources: { ...NO_RESOURCES, milliCpu: 1000 } },
  { name: 'large', resources: { ...NO_RESOURCES, milliCpu: 3000, memoryBytes: 8 * GIB } },
];
const PLACES = {
  b1: { latitude: 48.85, longitude: 2.35 },
  b2: { latitude: 40.71, longitude: -74 },
  b3: undefined,
};
const ROUTES = [
  route({ id: 'all', path: '/*', pool: 'web', tier: { fieldBytesMax: 0, header: 'x-tier', query: 'tier' } }),
];
const AT = { latitudeHeader: 'x-latitude', longitudeHeader: 'x-longitude' };

async function report(backend: string, busyCores: number, memoryUsedGib = 2): Promise<void> {
  const stats: BackendStats = {
    atMs: Date.now(),
    coresPercent: Array.from({ length: 4 }, (_, core) => (core < busyCores ? 95 : 5)),
    memoryUsedBytes: memoryUsedGib * GIB,
    memoryTotalBytes: 16 * GIB,
    diskUsedBytes: 0,
    diskTotalBytes: GIB,
    gpus: [],
  };
  await fleet.append({ type: 'backend.stats_reported', subject: backend, data: { backend, stats } });
}

/** A gateway with three backends, the last of which is where nobody knows; `/hold` is answered at the end. */
async function gatewayWith(settings: Partial<PoolSettings>): Promise<number> {
  const backends = [];
  for (const [id, place] of Object.entries(PLACES)) {
    const backend = await startBackend(id, (request, response) => {
      if (request.url?.startsWith('/hold') === true) held.push(() => response.end(id));
      else response.end(id);
    });
    fleet.onClose(() => backend.close());
    backends.push(backendAt(id, backend.url, { place }));
  }
  const trustedProxies = ['127.0.0.0/8'];
  const pools = [pool({ tiers: TIERS, agents: true, clientLocation: AT, ...settings })];
  await fleet.configure(backends, { pools, routes: ROUTES, trustedProxies });
  const fallback = { ...policy({ routes: ROUTES, trustedProxies }), pools: [], backends: [] };
  const listen = [{ host: '127.0.0.1', port: 0 }];
  const gateway = await startGateway(fleet.context({ bus }), { listen, workers: 1 }, fallback);
  fleet.onClose(() => gateway.stop());
  return gateway.addresses[0]!.port;
}

async function explain(question: object): Promise<Explanation> {
  const text = await bus.request('usher.route', JSON.stringify({ act: 'explain', question }), 5_000);
  const answer = JSON.parse(text) as RouteAnswer;
  if (!answer.ok) throw new Error(answer.problem.detail);
  return answer.answer as Explanation;
}

const reasons = ({ candidates }: Explanation) =>
  Object.fromEntries(candidates.map(({ backend, reason }) => [backend, reason]));

describe('strategy resource', () => {
  test('does with a request what it has just said, by tier and place', async () => {
    const port = await gatewayWith({ strategy: 'resource' });
    await report('b1', 0);
    await report('b2', 2, 4);
    await report('b3', 0, 2.25);
    const url = 'http://a/x';
    await vi.waitFor(async () => {
      expect(reasons(await explain({ url, tier: 'large' }))).toEqual({ b1: 'ok', b2: 'cpu', b3: 'ok' });
    }, 10_000);
    const chosen = new Set<string | null>();
    for (let request = 0; request < 60; request++) {
      const tier = request % 3 === 0 ? 'large' : 'small';
      const headers: Record<string, string> = { 'x-tier': tier };
      if (request % 4 > 1) Object.assign(headers, { 'x-latitude': '42.36', 'x-longitude': '-71.06' });
      const explained = await explain({ url, headers });
      expect(await explain({ url, headers })).toEqual(explained);
      expect(explained.tier).toEqual({ name: tier, by: 'header' });
      expect(explained.outcome).toBe('backend');
      expect((await ask(port, { path: '/x', headers })).text).toBe(explained.chosen);
      chosen.add(explained.chosen);
    }
    // The second has little memory left, but is near to some; the third counts as nearer to those than the first.
    expect(chosen).toEqual(new Set(['b1', 'b2', 'b3']));
  });

  test('shows the parts of every score, and of what there is too little', async () => {
    await gatewayWith({ strategy: 'resource' });
    await report('b1', 0);
    await report('b2', 2);
    const question = { url: 'http://a/x?tier=large', client_lat: 51.5, client_lon: -0.12 };
    await vi.waitFor(async () => expect((await explain(question)).outcome).toBe('backend'), 10_000);
    const explained = await explain(question);
    expect(explained).toMatchObject({
      tier: { name: 'large', by: 'query' },
      from: { latitude: 51.5, longitude: -0.12 },
      chosen: 'b1',
    });
    expect(explained.candidates).toMatchObject([
      {
        backend: 'b1',
        reason: 'ok',
        measures: {
          cpu: 5,
          memory: 12.5,
          gpu: 0,
          share: 1,
          distance: expect.closeTo(343, -1) as number,
          distanceKm: expect.closeTo(343, -1) as number,
          score: expect.closeTo(360, -1) as number,
        },
      },
      { backend: 'b2', reason: 'cpu', short: { dimension: 'milliCpu', needed: 3000, free: 2000 } },
      { backend: 'b3', reason: 'no_report' },
    ]);
  });

  test('says what a request is answered with whose tier is none, or that nobody has the resources for', async () => {
    const port = await gatewayWith({ strategy: 'resource' });
    for (const [headers, outcome, status] of [
      [{ 'x-tier': 'huge' }, 'unknown_tier', 400],
      [{}, 'unknown_tier', 400],
      [{ 'x-tier': 'small' }, 'no_capacity', 503],
    ] as const) {
      const explained = await explain({ url: 'http://a/x', headers });
      expect(explained).toMatchObject({ outcome, chosen: null });
      const answer = await ask(port, { path: '/x', headers });
      expect(answer.status).toBe(status);
      expect(JSON.parse(answer.text)).toMatchObject({ code: outcome });
    }
    await expect(explain({ url: 'http://a/x', tier: 'huge' })).rejects.toThrow('there is no tier "huge"');
  });
});

/** A request of a session that needs much. */
const of = (user: string) => ({ url: 'http://a/x', headers: { 'x-tier': 'large', 'x-user': user } });

test('what a session has reserved counts as room for it, and for nobody else', async () => {
  const port = await gatewayWith({ strategy: 'round_robin', reserve: 'session', sticky: BY_HEADER });
  for (const backend of ['b1', 'b2', 'b3']) await report(backend, 0);
  await vi.waitFor(async () => expect((await explain(of('u1'))).outcome).toBe('backend'), 10_000);
  const at = new Map<string, string>();
  for (const user of ['u1', 'u2', 'u3']) at.set(user, (await ask(port, { path: '/x', ...of(user) })).text);
  expect(new Set(at.values()).size).toBe(3);
  await vi.waitFor(async () => expect((await explain(of('u4'))).outcome).toBe('no_capacity'), 10_000);
  expect((await ask(port, { path: '/x', ...of('u4') })).status).toBe(503);
  for (const [user, backend] of at) {
    const explained = await explain(of(user));
    expect(explained).toMatchObject({
      outcome: 'backend',
      chosen: backend,
      session: { by: 'header', verdict: 'stays', backend },
    });
    expect((await ask(port, { path: '/x', ...of(user) })).text).toBe(backend);
  }
});

test.each(['resource', 'least_connections', 'round_robin'] as const)(
  'a pool that reserves does what it has said, until nobody has room: %s',
  async (strategy) => {
    const port = await gatewayWith({ strategy, reserve: 'request' });
    for (const backend of ['b1', 'b2', 'b3']) await report(backend, 0);
    const question = { url: 'http://a/hold', headers: { 'x-tier': 'large' } };
    await vi.waitFor(async () => {
      expect(reasons(await explain(question))).toEqual({ b1: 'ok', b2: 'ok', b3: 'ok' });
    }, 10_000);
    const waiting: Promise<string | undefined>[] = [];
    for (let request = 1; request <= 3; request++) {
      const explained = await explain(question);
      expect(explained).toMatchObject({ outcome: 'backend', reserve: 'request' });
      const served = ask(port, { path: '/hold', headers: question.headers }).then(({ text }) => text);
      waiting.push(served.then((name) => (name === explained.chosen ? undefined : name)));
      await expect.poll(() => held.length, { timeout: 10_000 }).toBe(request);
      // What is reserved reaches the workers a little later.
      await vi.waitFor(async () => {
        const lacking = Object.values(reasons(await explain(question))).filter((reason) => reason !== 'ok');
        expect(lacking).toHaveLength(request);
      }, 10_000);
    }
    const explained = await explain(question);
    expect(explained).toMatchObject({ outcome: 'no_capacity', chosen: null });
    expect((await ask(port, { path: '/x', headers: question.headers })).status).toBe(503);
    for (const release of held) release();
    expect(await Promise.all(waiting)).toEqual([undefined, undefined, undefined]);
  },
);
