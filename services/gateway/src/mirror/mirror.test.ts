import { createServer, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { pool } from '../testing/fixtures.ts';
import { backendAt } from '../testing/fleet.ts';
import { startBackend } from '../testing/http.ts';
import { bothLanes, LANES, LimitedFleet } from '../testing/limited-gateway.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

interface Copy {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const mirror = { pool: 'shadow', share: 1 };
const ROUTES = bothLanes(
  {
    id: 'all',
    path: '/all',
    mirror,
    traffic: {
      rewrite: { add: '/v2' },
      requestHeaders: { set: { 'x-own': 'yes' }, add: {}, remove: ['x-gone'] },
    },
  },
  { id: 'some', path: '/some', mirror: { pool: 'shadow', share: 0.5 } },
  { id: 'arms', path: '/arms', mirror, split: { pools: [{ pool: 'next', share: 1 }] } },
  { id: 'dead', path: '/dead', mirror: { pool: 'dead', share: 1 } },
  { id: 'none', path: '/none', mirror: { pool: 'empty', share: 1 } },
  { id: 'held', path: '/held', mirror },
);

let fleet: LimitedFleet;
let port: number;
/** What the shadow got. */
let copies: Copy[];
let held: (() => void)[] = [];

/** Answers when the whole request has come. */
const handle = (request: IncomingMessage, answer: (text: string) => void) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => answer(Buffer.concat(chunks).toString()));
};

beforeAll(async () => {
  fleet = new LimitedFleet();
  copies = [];
  const web = await startBackend('web', (request, response) => handle(request, (text) => response.end(text)));
  const next = await startBackend('next');
  const shadow = await startBackend('shadow', (request, response) =>
    handle(request, (body) => {
      const { method, url, headers } = request;
      copies.push({ method, url, headers, body });
      if (url?.endsWith('held') === true) held.push(() => response.end());
      else response.writeHead(500, { 'set-cookie': 'mine=1' }).end('nobody sees it');
    }),
  );
  // A port on which nobody is.
  const dead = createServer(() => {}).listen(0, '127.0.0.1');
  await new Promise((resolve) => dead.once('listening', resolve));
  const { port: deadPort } = dead.address() as { port: number };
  dead.close();
  for (const each of [web, next, shadow]) fleet.fleet.onClose(() => each.close());
  await fleet.fleet.configure(
    [
      backendAt('web', web.url),
      backendAt('next', next.url, { pool: 'next' }),
      backendAt('shadow', shadow.url, { pool: 'shadow' }),
      backendAt('dead', `http://127.0.0.1:${deadPort}`, { pool: 'dead' }),
    ],
    { pools: ['web', 'next', 'shadow', 'dead', 'empty'].map((id) => pool({ id })), routes: ROUTES },
  );
  port = await fleet.gateway();
});
afterAll(() => fleet.close());

describe.each(LANES)('through %s', (lane) => {
  const name = (route: string) => (lane.endsWith('plugin') ? `zip-${route}` : route);
  const counted = async (route: string, outcome: string) =>
    await fleet.fleet.metrics.sum('usher_mirror_requests_total', { route: name(route), outcome });

  /** Asks, and waits for the copies that come by it. */
  async function copiesOf(wanted: Parameters<LimitedFleet['ask']>[2], count = 1) {
    const before = copies.length;
    const answer = await fleet.ask(port, lane, wanted);
    await vi.waitUntil(() => copies.length === before + count);
    return { answer, copies: copies.slice(before) };
  }

  test('another pool gets what the backend gets, marked, and nobody sees its answer', async () => {
    const { answer, copies: got } = await copiesOf({
      path: '/all?q=1',
      method: 'POST',
      body: 'hello',
      headers: { 'x-gone': 'no', 'x-kept': 'a', 'content-type': 'text/plain' },
    });
    expect(answer).toMatchObject({ status: 200, text: 'hello' });
    expect(answer.headers['set-cookie']).toBeUndefined();
    const whole = lane.endsWith('plugin') ? '/v2/zip/all?q=1' : '/v2/all?q=1';
    expect(got).toMatchObject([{ method: 'POST', url: whole, body: 'hello' }]);
    const { headers } = got[0]!;
    expect(headers).toMatchObject({
      'x-kept': 'a',
      'x-own': 'yes',
      'x-usher-mirror': name('all'),
      'x-forwarded-for': '127.0.0.1',
      'x-request-id': answer.headers['x-request-id'],
    });
    expect(headers['x-gone']).toBeUndefined();
  });

  test('a share of the requests is copied', async () => {
    const before = copies.length;
    const doneBefore = await counted('some', 'answered');
    for (let asked = 0; asked < 40; asked++) await fleet.ask(port, lane, { path: '/some' });
    const some = await vi.waitUntil(async () => {
      const done = (await counted('some', 'answered')) - doneBefore;
      return done > 5 && copies.length - before === done ? done : undefined;
    });
    expect(some).toBeLessThan(35);
  });

  test('requests of every arm are copied', async () => {
    const { answer } = await copiesOf({ path: '/arms' });
    expect(answer.text).toBe('next');
  });

  test('a body that is too long to be kept is not copied, and arrives all the same', async () => {
    const before = await counted('all', 'too_long');
    const body = 'x'.repeat(100_000);
    const { status, text } = await fleet.ask(port, lane, { path: '/all', method: 'PUT', body });
    expect([status, text.length]).toEqual([200, body.length]);
    await vi.waitUntil(async () => (await counted('all', 'too_long')) === before + 1);
  });

  test('a body of many parts is copied whole', async () => {
    const body = 'abcdefgh'.repeat(7_000);
    const { copies: got } = await copiesOf({ path: '/all', method: 'PUT', body });
    expect(got[0]!.body === body).toBe(true);
  });

  test('a pool that fails, or has nobody, is felt by nobody', async () => {
    for (const route of ['dead', 'none']) {
      const before = await counted(route, 'failed');
      expect((await fleet.ask(port, lane, { path: `/${route}` })).status).toBe(200);
      await vi.waitUntil(async () => (await counted(route, 'failed')) === before + 1);
    }
  });

  test('answers of copies are not answers to clients', async () => {
    const errors = async () => await fleet.fleet.metrics.sum('usher_requests_total', { code: '5xx' });
    const before = await errors();
    await copiesOf({ path: '/all' });
    expect(await errors()).toBe(before);
    const { metrics } = fleet.fleet;
    expect(await metrics.sum('usher_backend_requests_total', { backend: 'web', outcome: 'failed' })).toBe(0);
  });
});

test('only so many copies are under way at a time', async () => {
  const counted = async (outcome: string) =>
    await fleet.fleet.metrics.sum('usher_mirror_requests_total', { route: 'held', outcome });
  const asked = Array.from({ length: 110 }, async () => await fleet.ask(port, 'wire', { path: '/held' }));
  const answers = await Promise.all(asked);
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  await vi.waitUntil(() => held.length === 100);
  expect(await counted('too_many')).toBe(10);
  for (const release of held) release();
  held = [];
  await vi.waitUntil(async () => (await counted('answered')) === 100);
  await fleet.ask(port, 'wire', { path: '/held' });
  await vi.waitUntil(() => held.length === 1);
  held[0]!();
});
