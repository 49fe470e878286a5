import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Explanation,
  type PoolSettings,
  type RouteDecision,
  type RouteSettings,
  STRATEGY_NAMES,
} from '@usher/domain';
import { EmbeddedBus } from '@usher/event-log';
import type { RouteAct, RouteAnswer } from '@usher/events';
import type { MessageBus } from '@usher/ports';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startGateway } from '../index.ts';
import { policy, pool, route } from '../testing/fixtures.ts';
import { backendAt, TestFleet } from '../testing/fleet.ts';
import { ask, startBackend } from '../testing/http.ts';
import { BY_COOKIE, BY_HEADER, BY_IP } from '../testing/sticky-gateway.ts';

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

const ROUTES = [
  route({ id: 'other', host: 'other.example.com', path: '/*', pool: 'web' }),
  route({ id: 'zip', path: '/zip/*', pool: 'web', plugins: [{ name: 'gzip', options: {} }] }),
  route({ id: 'x', path: '/x/*', pool: 'web' }),
];
const WITH_POLICY = [
  route({ id: 'x', path: '/x/*', pool: 'web' }),
  route({
    id: 'few',
    path: '/few/*',
    pool: 'web',
    traffic: {
      clients: { allow: ['192.0.2.0/24'], deny: [] },
      apiKeys: { header: 'x-key', keys: [] },
    },
  }),
  route({
    id: 'tls',
    path: '/tls/*',
    pool: 'web',
    traffic: { redirect: 'https', rewrite: { strip: '/tls' } },
  }),
  {
    ...route({ id: 'moved', path: '/moved/*', traffic: { redirect: { status: 301, to: '/new{path}' } } }),
    pool: undefined,
  },
];

/** A gateway with four backends of unequal weights, which answer with their names; `/x/hold` is answered at the end. */
async function gatewayWith(
  settings: Partial<PoolSettings>,
  workers = 1,
  routes: readonly RouteSettings[] = ROUTES,
): Promise<number> {
  const backends = [];
  for (const [at, id] of ['b1', 'b2', 'b3', 'b4'].entries()) {
    const backend = await startBackend(id, (request, response) => {
      if (request.url === '/x/hold') held.push(() => response.end(id));
      else response.end(id);
    });
    fleet.onClose(() => backend.close());
    backends.push(backendAt(id, backend.url, { weight: at + 1 }));
  }
  await fleet.configure(backends, { pools: [pool(settings)], routes });
  const fallback = { ...policy({ routes }), pools: [], backends: [] };
  const context = fleet.context({ bus });
  const gateway = await startGateway(
    context,
    { listen: [{ host: '127.0.0.1', port: 0 }], workers },
    fallback,
  );
  fleet.onClose(() => gateway.stop());
  return gateway.addresses[0]!.port;
}

async function answerTo(act: RouteAct, question: unknown, subject = 'usher.route'): Promise<RouteAnswer> {
  return JSON.parse(await bus.request(subject, JSON.stringify({ act, question }), 5_000)) as RouteAnswer;
}

async function explain(question: unknown): Promise<Explanation> {
  const answer = await answerTo('explain', question);
  if (!answer.ok) throw new Error(answer.problem.detail);
  return answer.answer as Explanation;
}

async function decide(): Promise<RouteDecision | undefined> {
  const answer = await answerTo('decide', { url: 'http://a/x' }, 'usher.route.gw-1');
  return answer.ok ? (answer.answer as RouteDecision) : undefined;
}

function ownStrategy(): string {
  const folder = mkdtempSync(join(tmpdir(), 'usher-strategy-'));
  fleet.onClose(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'own.ts');
  const choose = 'Math.floor(ask.random.next() * backends.length)';
  writeFileSync(file, `export default (backends: any, ask: any) => backends[${choose}];\n`);
  return file;
}

describe.each(STRATEGY_NAMES)('a gateway with %s', (strategy) => {
  test('does with a request what it has just said', async () => {
    const strategyFile = strategy === 'custom' ? ownStrategy() : undefined;
    const hash = { by: 'header', name: 'x-user' } as const;
    const port = await gatewayWith({ strategy, strategyFile, hash });
    const waiting: Promise<unknown>[] = [];
    const chosen = new Set<string | null>();
    for (let request = 0; request < 40; request++) {
      const path = request % 5 === 4 ? '/zip/file' : '/x/file';
      const headers = { 'x-user': `user-${request}` };
      const question = { url: `http://127.0.0.1:${port}${path}`, headers };
      const explained = await explain(question);
      expect(await explain(question)).toEqual(explained);
      expect(explained).toMatchObject({ outcome: 'backend', strategy, worker: 0, gateway: 'gw-1' });
      expect((await ask(port, { path, headers })).text).toBe(explained.chosen);
      chosen.add(explained.chosen);
      // Load that stays, now and then, so that those who look at it have something to see.
      if (request % 8 !== 0) continue;
      waiting.push(ask(port, { path: '/x/hold', headers }));
      await expect.poll(() => held.length, { timeout: 5_000 }).toBe(waiting.length);
    }
    // Addresses are what this one goes by, and there is only one here.
    if (strategy !== 'ip_hash') expect(chosen.size).toBeGreaterThan(1);
    for (const release of held) release();
    await Promise.all(waiting);
  });
});

describe.each([
  ['cookie', BY_COOKIE, 'begins'],
  ['header', BY_HEADER, 'asks'],
] as const)('a gateway that keeps sessions by %s', (by, sticky, first) => {
  test('does with a request what it has just said', async () => {
    const port = await gatewayWith({ strategy: 'round_robin', sticky });
    for (const user of ['mara', 'nils', 'olga']) {
      let cookie = '';
      const next = async () => {
        const headers = { 'x-user': user, cookie };
        const question = { url: 'http://a/x/file', headers };
        const explained = await explain(question);
        expect(await explain(question)).toEqual(explained);
        const answer = await ask(port, { path: '/x/file', headers });
        const [set] = answer.headers['set-cookie'] ?? [];
        if (set !== undefined) cookie = set.slice(0, set.indexOf(';'));
        expect(explained).toMatchObject({ outcome: 'backend', chosen: answer.text });
        return explained;
      };
      const { chosen, session } = await next();
      expect(session).toEqual({ by, verdict: first, backend: null });
      for (let again = 0; again < 3; again++)
        expect(await next()).toMatchObject({ chosen, session: { by, verdict: 'stays', backend: chosen } });
      const backend = chosen!;
      await fleet.append({ type: 'backend.disabled', subject: backend, data: { backend } });
      const { position } = fleet.fold;
      await vi.waitFor(async () => {
        expect((await explain({ url: 'http://a/x' })).position).toBeGreaterThanOrEqual(position);
      }, 5_000);
      expect((await next()).session).toEqual({ by, verdict: 'leaves', backend });
      await fleet.append({ type: 'backend.enabled', subject: backend, data: { backend } });
    }
  });
});

test('a decision goes by the strategy where the store was not asked for a session', async () => {
  await gatewayWith({ strategy: 'round_robin', sticky: BY_IP });
  expect(await decide()).toMatchObject({ outcome: 'backend', chosen: 'b1' });
  expect(await decide()).toMatchObject({ outcome: 'backend', chosen: 'b2' });
});

test('an explanation has the routes, the pool, every backend and what was counted', async () => {
  const port = await gatewayWith({ strategy: 'least_connections' });
  const hold = ask(port, { path: '/x/hold' });
  await expect.poll(() => held.length, { timeout: 5_000 }).toBe(1);
  await fleet.append({ type: 'backend.disabled', subject: 'b2', data: { backend: 'b2' } });
  await expect.poll(async () => (await explain({ url: 'http://a/x' })).position).toBe(fleet.fold.position);
  const explained = await explain({ url: 'http://Other.Example.com:81/x/file?q' });
  expect(explained.routes.map(({ route: id, verdict }) => [id, verdict])).toEqual([
    ['other', 'matches'],
    ['zip', 'other_path'],
    ['x', 'less_specific'],
  ]);
  expect(explained).toMatchObject({ route: 'other', plugins: [], pool: 'web', among: 'eligible', key: null });
  expect(explained.candidates.map(({ backend, reason, inFlight }) => [backend, reason, inFlight])).toEqual([
    ['b1', 'ok', expect.any(Number)],
    ['b2', 'disabled', expect.any(Number)],
    ['b3', 'ok', expect.any(Number)],
    ['b4', 'ok', expect.any(Number)],
  ]);
  expect(explained.candidates.reduce((sum, { inFlight }) => sum + inFlight, 0)).toBe(1);
  for (const release of held) release();
  await hold;
});

test('a client’s address counts as that of its connection, whatever headers say that nobody trusts', async () => {
  await gatewayWith({ strategy: 'ip_hash' });
  const url = 'http://a/x';
  const key = async (changes: object) => (await explain({ url, ...changes })).key;
  const direct = await key({ client_ip: '10.1.2.3' });
  expect(direct).toEqual({ by: 'ip', hash: expect.any(Number) as number });
  expect(await key({ client_ip: '10.9.9.9', headers: { 'x-forwarded-for': '10.1.2.3' } })).not.toEqual(
    direct,
  );
});

test('what no route takes is explained too', async () => {
  await gatewayWith({});
  const explained = await explain({ url: 'http://a/nowhere' });
  expect(explained).toMatchObject({
    route: null,
    pool: null,
    outcome: 'no_route',
    chosen: null,
    candidates: [],
  });
  expect(explained.routes.map(({ verdict }) => verdict)).toEqual(['other_host', 'other_path', 'other_path']);
});

test('in a pool that is named the routes do not count', async () => {
  await gatewayWith({});
  const explained = await explain({ url: 'http://a/nowhere', pool: 'web' });
  expect(explained).toMatchObject({ routes: [], route: null, pool: 'web', outcome: 'backend', chosen: 'b1' });
});

test.each([
  [{ url: 'http://a/x', pool: 'none' }, 'there is no pool none'],
  [{ url: 'http://a/x', method: 'GE T' }, 'the request: '],
  [{ url: 'http://a/x', headers: { 'a b': 'c' } }, 'the request: a header name is malformed'],
  [{ url: 'nowhere' }, 'url: expected'],
])('what cannot be meant is refused: %j', async (question, reason) => {
  await gatewayWith({});
  const answer = await answerTo('explain', question);
  expect(answer).toMatchObject({
    ok: false,
    problem: { code: 'invalid_input', detail: expect.stringContaining(reason) as string },
  });
});

test('a decision takes its turn, as a request would', async () => {
  const port = await gatewayWith({ strategy: 'round_robin' });
  expect(await decide()).toMatchObject({ outcome: 'backend', chosen: 'b1', pool: 'web', gateway: 'gw-1' });
  expect((await ask(port, { path: '/x' })).text).toBe('b2');
  expect((await decide())?.chosen).toBe('b3');
});

test('of several workers the first one answers', async () => {
  await gatewayWith({}, 2);
  expect((await explain({ url: 'http://a/x' })).worker).toBe(0);
});

test.each([
  [{ url: 'http://a/x' }, null, 'backend'],
  [{ url: 'http://a/few/a' }, { answered: 'client', status: 403 }, 'forbidden'],
  [
    { url: 'http://a/few/a', client_ip: '192.0.2.1' },
    { answered: 'key', status: 401, location: null },
    'unauthorized',
  ],
  [
    { url: 'http://a/tls/x?y' },
    { answered: 'redirect', status: 308, location: 'https://a/tls/x?y', rewritten: null },
    'answered',
  ],
  [{ url: 'https://a/tls/x?y' }, { answered: null, status: null, rewritten: '/x?y' }, 'backend'],
  [{ url: 'http://a/moved/x' }, { answered: 'redirect', location: '/new/moved/x' }, 'answered'],
])('what the policy of a route makes of %j is told', async (question, verdict, outcome) => {
  await gatewayWith({}, 1, WITH_POLICY);
  const { policy: told, outcome: becomes, chosen } = await explain(question);
  if (verdict === null) expect(told).toBeNull();
  else expect(told).toMatchObject(verdict);
  expect(becomes).toBe(outcome);
  expect(chosen === null).toBe(outcome !== 'backend');
});
