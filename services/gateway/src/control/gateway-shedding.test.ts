import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PRIORITIES, type Priority } from '@usher/domain';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { route } from '../testing/fixtures.ts';
import { oneConnection, until } from '../testing/http.ts';
import { bothLanes, LANES, type LaneName, LimitedFleet } from '../testing/limited-gateway.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

const OFF = { memorySoft: 0, memoryHard: 0, loopDelayMs: 0 };
/** Every process is above this. */
const NOTHING = 1e-9;

const routes = bothLanes(...PRIORITIES.map((priority) => ({ id: priority, path: `/${priority}`, priority })));

let limited: LimitedFleet;
beforeEach(() => {
  limited = new LimitedFleet();
});
afterEach(() => limited.close());

/** Statuses of one request of each priority. */
async function served(port: number, lane: LaneName): Promise<Readonly<Record<Priority, number>>> {
  const [sheddable, normal, critical] = await Promise.all(
    PRIORITIES.map(async (each) => (await limited.ask(port, lane, { path: `/${each}` })).status),
  );
  return { sheddable: sheddable!, normal: normal!, critical: critical! };
}

const told = () => limited.fleet.seen('gateway.shedding_changed').map(({ data }) => data);

test('short of memory, a gateway does without sheddable requests in every lane, and says so', async () => {
  await limited.configure({ routes });
  const port = await limited.gateway({ overload: { ...OFF, memorySoft: NOTHING }, workers: 2 });
  await until(async () => (await served(port, 'wire')).sheddable === 503, 'the shortage is noticed');
  await until(
    async () => (await limited.fleet.metrics.sum('usher_overload_level')) === 2,
    'both workers noticed it',
  );
  for (const lane of LANES)
    expect(await served(port, lane)).toEqual({ sheddable: 503, normal: 200, critical: 200 });
  for (const lane of LANES) {
    const { headers, text } = await limited.ask(port, lane, { path: '/sheddable' });
    expect(headers['retry-after']).toBe('1');
    expect(JSON.parse(text)).toMatchObject({ status: 503, code: 'overloaded' });
  }
  await until(() => told().length > 0, 'the log is told');
  expect(told()).toEqual([{ gateway: 'gw-1', shed: 'sheddable', cause: 'memory' }]);
  expect(limited.gateways[0]?.fault()).toBe('too much to do: sheddable requests are not served');
  const shed = (name: string) => limited.fleet.metrics.sum('usher_shed_requests_total', { route: name });
  await until(async () => (await shed('zip-sheddable')) >= 4, 'they are counted');
  expect(await shed('normal')).toBe(0);
});

test('short of memory, connections end with their answer, so that another gateway can have them', async () => {
  await limited.configure({ routes });
  const port = await limited.gateway({ overload: { ...OFF, memorySoft: NOTHING } });
  await until(async () => (await served(port, 'wire')).sheddable === 503, 'the shortage is noticed');
  for (const lane of ['wire', 'plugin'] as const) {
    const agent = oneConnection();
    for (const path of ['/normal', '/sheddable'])
      expect((await limited.ask(port, lane, { path, agent })).headers['connection']).toBe('close');
    agent.destroy();
  }
});

test('with hardly any memory left no connection is accepted', async () => {
  await limited.configure({ routes });
  const port = await limited.gateway({ overload: { ...OFF, memoryHard: NOTHING } });
  const refused = async () => {
    const { status, headers } = await limited.ask(port, 'wire', { path: '/critical' });
    return status === 503 && headers['connection'] === 'close';
  };
  await until(refused, 'a connection is refused');
  await until(() => told().length > 0, 'the log is told');
  expect(told()).toEqual([{ gateway: 'gw-1', shed: 'all_but_critical', cause: 'memory' }]);
});

test('a worker that was late for long serves only what is critical, and everything again when it is over', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'usher-plugin-'));
  const file = join(folder, 'late.mjs');
  const source = `export default async (fastify) => {
    fastify.addHook('onRequest', async () => {
      for (const end = performance.now() + 2_000; performance.now() < end; );
    });
  };`;
  await writeFile(file, source);
  const late = route({
    id: 'late',
    path: '/late',
    pool: 'web',
    plugins: [{ name: 'late', file, options: {} }],
  });
  await limited.configure({ routes: [late, ...routes] });
  const port = await limited.gateway({ overload: { ...OFF, loopDelayMs: 200 } });
  // On a busy machine it may begin late.
  await until(async () => (await served(port, 'wire')).sheddable === 200, 'it is not late');
  const isQuiet = () => {
    const last = told().at(-1);
    return last === undefined || ('shed' in last && last.shed === 'nothing');
  };
  await until(isQuiet, 'the log has been told so');
  const before = told().length;
  expect((await limited.ask(port, 'wire', { path: '/late' })).status).toBe(200);
  await until(async () => (await served(port, 'wire')).normal === 503, 'the lateness is noticed');
  for (const found of await Promise.all(LANES.map((lane) => served(port, lane))))
    expect(found).toEqual({ sheddable: 503, normal: 503, critical: 200 });
  await until(async () => (await served(port, 'HTTP/2')).sheddable === 200, 'it is over');
  await until(() => told().length === before + 3, 'the log is told of everything');
  expect(told().slice(before)).toMatchObject([
    { shed: 'all_but_critical', cause: 'event_loop' },
    { shed: 'sheddable', cause: 'over' },
    { shed: 'nothing', cause: 'over' },
  ]);
  await rm(folder, { recursive: true });
});

test('of requests that would have to wait in a line that is half full, and nearly full, some do not join it', async () => {
  const kept: ServerResponse[] = [];
  const queue = { max: 20, timeoutMs: 60_000 };
  await limited.configure({ routes }, { queue, adaptive: { min: 1, max: 1 } }, (_, response) => {
    kept.push(response);
  });
  const port = await limited.gateway({ workers: 1 });
  const asked: Promise<number>[] = [];
  const join = (path: string, count: number) => {
    for (let each = 0; each < count; each++)
      asked.push(limited.ask(port, LANES[asked.length % 4]!, { path }).then(({ status }) => status));
  };
  const waiting = (count: number) =>
    until(async () => (await limited.fleet.metrics.sum('usher_queue_requests')) === count, `${count} wait`);
  /** Whether such a request is refused, instead of being one more that waits. */
  const refuses = async (path: string, present: number) => {
    const agent = oneConnection();
    const refused = limited.ask(port, 'wire', { path, agent }).then(
      ({ status }) => status === 503,
      () => false,
    );
    const joined = waiting(present + 1).then(
      () => false,
      () => false,
    );
    const answer = await Promise.race([refused, joined]);
    agent.destroy();
    await waiting(present);
    return answer;
  };
  join('/sheddable', 1);
  await until(() => kept.length === 1, 'the backend has what it may have');
  join('/sheddable', 9);
  await waiting(9);
  join('/normal', 1);
  await waiting(10);
  await until(() => refuses('/sheddable', 10), 'the line is half full');
  join('/normal', 8);
  await waiting(18);
  await until(() => refuses('/normal', 18), 'the line is nearly full');
  join('/critical', 1);
  await waiting(19);
  const done = Promise.all(asked);
  const answering = setInterval(() => kept.splice(0).forEach((response) => response.end()), 1);
  expect(await done).toEqual(Array(20).fill(200));
  clearInterval(answering);
});
