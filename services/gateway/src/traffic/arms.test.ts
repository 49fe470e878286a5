import { decideArm, type Explanation, type PoolSettings, type RouteSettings } from '@usher/domain';
import { EmbeddedBus } from '@usher/event-log';
import type { RouteAnswer } from '@usher/events';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { policy, pool, route } from '../testing/fixtures.ts';
import { backendAt } from '../testing/fleet.ts';
import { startBackend } from '../testing/http.ts';
import { bothLanes, LANES, type LaneName, LimitedFleet } from '../testing/limited-gateway.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

const STICKY: PoolSettings['sticky'] = {
  by: 'cookie',
  name: 'usher_next',
  path: '/',
  sameSite: 'lax',
  secure: 'auto',
  keys: [],
  ttlMs: 3_600_000,
  idleMs: 3_600_000,
  affinity: false,
};
const half = [{ pool: 'next', share: 0.5 }];
const canaries: RouteSettings['canaries'] = [
  { by: 'header', name: 'x-canary', value: 'always', pool: 'next' },
  { by: 'header', name: 'x-canary', value: 'never', pool: 'web' },
  { by: 'cookie', name: 'beta', pool: 'third' },
];
const ROUTES = bothLanes(
  { id: 'chance', path: '/chance', split: { pools: half } },
  { id: 'user', path: '/user', split: { by: { by: 'cookie', name: 'user' }, pools: half }, canaries },
  { id: 'asked', path: '/asked', canaries },
  { id: 'all', path: '/all', split: { pools: [{ pool: 'next', share: 1 }] } },
  { id: 'live', path: '/live', split: { pools: [{ pool: 'next', share: 0 }] } },
);

let fleet: LimitedFleet;
let bus: EmbeddedBus;
let port: number;
beforeAll(async () => {
  fleet = new LimitedFleet();
  bus = new EmbeddedBus(fleet.fleet.clock, fleet.fleet.log);
  const pools = [pool(), pool({ id: 'next', sticky: STICKY }), pool({ id: 'third' })];
  const backends = [];
  for (const id of ['web-1', 'next-1', 'next-2', 'third-1']) {
    const backend = await startBackend(id);
    fleet.fleet.onClose(() => backend.close());
    backends.push(backendAt(id, backend.url, { pool: id.split('-')[0]! }));
  }
  await fleet.fleet.configure(backends, { pools, routes: ROUTES });
  port = await fleet.gateway({}, { bus });
});
afterAll(() => fleet.close());

async function explain(url: string, headers: Record<string, string> = {}): Promise<Explanation> {
  const question = { url: `http://a${url}`, headers };
  const reply = await bus.request('usher.route', JSON.stringify({ act: 'explain', question }), 5_000);
  const answer = JSON.parse(reply) as RouteAnswer;
  if (!answer.ok) throw new Error(answer.problem.detail);
  return answer.answer as Explanation;
}

const where = async (lane: LaneName, path: string, headers: Record<string, string> = {}) => {
  const { status, text } = await fleet.ask(port, lane, { path, headers });
  expect(status).toBe(200);
  return text.split('-')[0]!;
};

describe.each(LANES)('through %s', (lane) => {
  const go = async (path: string, headers: Record<string, string> = {}) => await where(lane, path, headers);

  test('requests are divided by chance, and counted by where they went', async () => {
    const labels = { route: lane.endsWith('plugin') ? 'zip-chance' : 'chance', pool: 'next' };
    const counted = async () => await fleet.fleet.metrics.sum('usher_requests_total', labels);
    const before = await counted();
    const pools = [];
    for (let asked = 0; asked < 40; asked++) pools.push(await go('/chance'));
    const next = pools.filter((each) => each === 'next').length;
    expect(next).toBeGreaterThan(5);
    expect(next).toBeLessThan(35);
    await vi.waitUntil(async () => (await counted()) === before + next);
  });

  test('a user stays where he is, whatever comes in between', async () => {
    const users = Array.from({ length: 20 }, (_, at) => ({ cookie: `a=b; user=mara-${at}` }));
    const first = [];
    for (const user of users) first.push(await go('/user', user));
    expect(new Set(first)).toEqual(new Set(['web', 'next']));
    for (const [at, user] of users.entries()) expect(await go('/user', user)).toBe(first[at]);
  });

  test.each([
    [{ 'x-canary': 'always' }, 'next'],
    [{ 'x-canary': 'Always' }, 'web'],
    [{ cookie: 'a=b; beta=1' }, 'third'],
    [{ cookie: 'beta=' }, 'web'],
    [{ cookie: 'alphabeta=1' }, 'web'],
    [{ 'x-canary': 'never', cookie: 'beta=1' }, 'web'],
    [{}, 'web'],
  ])('whoever asks by %j comes to %s', async (headers, to) => {
    expect(await go('/asked', { ...headers })).toBe(to);
  });

  test('whoever asks for a pool comes there whatever the split says', async () => {
    for (let user = 0; user < 6; user++)
      expect(await go('/user', { cookie: `user=${user}`, 'x-canary': 'always' })).toBe('next');
  });

  test('sessions of the other pool stay on their backends', async () => {
    const first = await fleet.ask(port, lane, { path: '/all' });
    const cookie = String(first.headers['set-cookie']).split(';', 1)[0]!;
    expect(cookie).toContain('usher_next=');
    for (let again = 0; again < 4; again++) {
      const { text } = await fleet.ask(port, lane, { path: '/all', headers: { cookie } });
      expect(text).toBe(first.text);
    }
  });

  test('the shares change while requests come', async () => {
    const settings = ROUTES.find(({ id }) => id === (lane.endsWith('plugin') ? 'zip-live' : 'live'))!;
    const share = async (part: number) => {
      const split = { pools: [{ pool: 'next', share: part }] };
      await fleet.fleet.append({
        type: 'route.updated',
        subject: 'fleet',
        data: { settings: { ...settings, split } },
      });
    };
    expect(await go('/live')).toBe('web');
    await share(1);
    await vi.waitUntil(async () => (await go('/live')) === 'next');
    await share(0);
    await vi.waitUntil(async () => (await go('/live')) === 'web');
  });
});

test('an explanation tells the arm and why, and what happens is what it told', async () => {
  for (let asked = 0; asked < 12; asked++) {
    const { arm, pool: told, chosen } = await explain('/chance');
    expect(arm).toMatchObject({ by: told === 'next' ? 'split' : 'rest', pool: told, canary: null });
    expect((await fleet.ask(port, 'wire', { path: '/chance' })).text).toBe(chosen);
  }
  expect(await explain('/asked', { cookie: 'beta=1' })).toMatchObject({
    pool: 'third',
    chosen: 'third-1',
    arm: { by: 'canary', canary: 2, point: null, pool: 'third' },
  });
});

test('what an explanation tells is enough to decide again', async () => {
  for (let user = 0; user < 12; user++) {
    const { settings, ...told } = (await explain('/user', { cookie: `user=${user}` })).arm!;
    expect(decideArm(settings, told)).toEqual(told);
  }
});

test('a route to one pool tells of no arms', async () => {
  const plain = policy({ routes: [...ROUTES, route({ id: 'plain', path: '/plain', pool: 'web' })] });
  const data = { settings: plain.routes.at(-1)! };
  await fleet.fleet.append({ type: 'route.added', subject: 'fleet', data });
  await vi.waitUntil(async () => (await explain('/plain')).route === 'plain');
  expect((await explain('/plain')).arm).toBeNull();
});
