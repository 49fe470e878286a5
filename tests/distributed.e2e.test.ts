import path from 'node:path';
import {
  type NatsServer,
  type RedisServer,
  startNatsServer,
  startRedisServer,
  tempDir,
} from '@usher/testing';
import { beforeAll, expect, test } from 'vitest';
import { type Backend, startBackend } from './support/backend.ts';
import { bodies, Load } from './support/load.ts';
import { UsherProcess } from './support/usher-process.ts';
import { until } from './support/wait.ts';

const LIMIT_MS = 5_000;
/** Requests that each gateway answers while NATS is down, at least. */
const REQUESTS_WITHOUT_LOG = 2_000;

const directory = tempDir();
let nats: NatsServer;
let redis: RedisServer;
let backends: Backend[];
let gateways: UsherProcess[];
let scheduler: UsherProcess;
let all: UsherProcess[];

beforeAll(async () => {
  [nats, redis] = await Promise.all([startNatsServer(), startRedisServer()]);
  backends = await Promise.all(['b1', 'b2', 'b3'].map(startBackend));
  const declared = backends.slice(0, 2).map(({ name, url }) => `{ id: ${name}, url: "${url}" }`);
  const config = `bus: { servers: ["${nats.url}"] }
store: "${redis.url}"
pools:
  web:
    strategy: round_robin
    health: { type: none }
    backends: [${declared.join(', ')}]
  probed:
    health: { type: http, path: /, interval: 200ms, timeout: 100ms }
    backends: [{ id: probed-1, url: "${backends[0]?.url}" }]
routes:
  - { path: "/*", pool: web }
`;
  const run = async (name: string, only: string) =>
    await UsherProcess.start({ directory: path.join(directory.path, name), config, name, only });
  scheduler = await run('scheduler-1', 'scheduler');
  const others = await Promise.all([run('health-1', 'health'), run('collector-1', 'collector')]);
  gateways = await Promise.all([run('gateway-1', 'gateway'), run('gateway-2', 'gateway')]);
  all = [scheduler, ...others, ...gateways];
  return async () => {
    await Promise.all(all.map((each) => each.kill9()));
    await Promise.all([...backends, nats, redis].map((each) => each.stop()));
    directory.remove();
  };
});

async function answersBy(gateway: UsherProcess, names: readonly string[]): Promise<boolean> {
  const seen = new Set(await bodies(gateway.traffic, names.length * 2));
  return names.every((name) => seen.has(name));
}

/** Waits until every process is at one position, and compares all their digests with a replay from the beginning. */
async function expectOneState(): Promise<void> {
  const statuses = await until('all processes are equally far', async () => {
    const found = await Promise.all(all.map((each) => each.status()));
    return new Set(found.map(({ position }) => position)).size === 1 && found;
  });
  const position = statuses[0]?.position ?? 0;
  const replayed = await scheduler.replayedDigest(position);
  expect(statuses.map(({ digest }) => digest)).toEqual(all.map(() => replayed));
}

test('two gateways, a scheduler, a prober and a collector in processes of their own are one system', async () => {
  await until('both gateways balance', async () => {
    const answers = await Promise.all(gateways.map((each) => answersBy(each, ['b1', 'b2'])));
    return answers.every(Boolean);
  });
  await scheduler.eligible('b1', 'b2', 'probed-1');
});

test('a backend that is added serves through both gateways at once', async () => {
  const added = backends[2];
  const answer = await scheduler.run(
    'backends',
    'add',
    '--pool',
    'web',
    '--id',
    'b3',
    '--url',
    added?.url ?? '',
  );
  expect(answer, answer.stderr).toMatchObject({ code: 0 });
  const acknowledgedMs = performance.now();
  await until(
    'both gateways use it',
    async () => {
      const answers = await Promise.all(gateways.map((each) => answersBy(each, ['b3', 'b1', 'b2'])));
      return answers.every(Boolean);
    },
    LIMIT_MS,
  );
  console.log(`served through both gateways ${(performance.now() - acknowledgedMs).toFixed(0)} ms later`);
});

test('without NATS traffic flows and commands are refused with a reason; with it again all states are one', async () => {
  const load = new Load(
    gateways.map(({ traffic }) => traffic),
    { connections: 4 },
  );
  await until('the load runs', () => load.tally.ok > REQUESTS_WITHOUT_LOG);
  await nats.kill9();
  const before = load.tally.ok;
  const refused = await scheduler.run('drain', 'b1');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/log_unavailable|no_leader/);
  await until('traffic flows without the log', () => load.tally.ok > before + 2 * REQUESTS_WITHOUT_LOG);
  await nats.restart();
  await until('commands are accepted again', async () => (await scheduler.run('drain', 'b1')).code === 0);
  await until('both gateways have drained it', async () => {
    const seen = await Promise.all(gateways.map((each) => bodies(each.traffic, 6)));
    return !seen.flat().includes('b1');
  });
  const { failures } = await load.stop();
  expect(failures).toEqual([]);
  await expectOneState();
});

test('a scheduler that is killed loses no traffic, and its successor continues', async () => {
  const load = new Load(
    gateways.map(({ traffic }) => traffic),
    { connections: 2 },
  );
  await scheduler.kill9();
  await scheduler.start();
  await until('commands are accepted again', async () => (await scheduler.run('enable', 'b1')).code === 0);
  await until('both gateways use the backend again', async () => {
    const answers = await Promise.all(gateways.map((each) => answersBy(each, ['b1', 'b2', 'b3'])));
    return answers.every(Boolean);
  });
  const { failures } = await load.stop();
  expect(failures).toEqual([]);
  await expectOneState();
});
