import type { Problem } from '@usher/domain';
import { COMMAND_NAMES } from '@usher/events';
import { startNatsServer, startRedisServer } from '@usher/testing';
import { connect, type NatsConnection } from 'nats';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TestFleet } from '../cli/src/process/test-fleet.ts';

let nats: Awaited<ReturnType<typeof startNatsServer>>;
let redis: Awaited<ReturnType<typeof startRedisServer>>;
let fleet: TestFleet;
let client: NatsConnection;

beforeEach(async () => {
  [nats, redis] = await Promise.all([startNatsServer(), startRedisServer()]);
  fleet = await TestFleet.start(`
name: fleet-1
logging: { level: error }
bus: { servers: ["${nats.url}"] }
store: "${redis.url}"
pools:
  web: { health: { type: none }, backends: [{ id: a, url: "http://10.0.0.1:80" }] }
routes: [{ path: "/*", pool: web }]
`);
  client = await connect({ servers: nats.url });
});
afterEach(async () => {
  await client.close();
  await fleet.stop();
  await Promise.all([nats.stop(), redis.stop()]);
});

interface Told {
  readonly started?: string;
  readonly endpoints: readonly {
    readonly name: string;
    readonly subject: string;
    readonly num_requests: number;
  }[];
  readonly problem?: Problem;
}

async function ask(subject: string, payload: object = {}) {
  const message = await client.request(subject, JSON.stringify(payload), { timeout: 5000 });
  return { body: message.json<Told>(), headers: message.headers };
}

const order = (name: string, data: object, id = name) => ({ id, name, data, actor: 'mara' });

test('the commands are a service of NATS, which can be found and which tells of each of them', async () => {
  const { body: ping } = await ask('$SRV.PING');
  expect(ping).toEqual({
    type: 'io.nats.micro.v1.ping_response',
    name: 'usher-commands',
    id: 'fleet-1',
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    metadata: {},
  });
  expect((await ask('$SRV.PING.usher-commands.fleet-1')).body).toEqual(ping);
  const { body: info } = await ask('$SRV.INFO.usher-commands');
  expect(info).toMatchObject({ type: 'io.nats.micro.v1.info_response', description: expect.any(String) });
  const { endpoints } = info;
  expect(endpoints.map(({ subject }) => subject)).toEqual(
    COMMAND_NAMES.map((name) => `usher.commands.${name}`),
  );
  expect(endpoints.every(({ name }) => /^[\w-]+$/.test(name))).toBe(true);
  for (const subject of [
    '$SRV.PING.others',
    '$SRV.PING.usher-commands.other',
    '$SRV.SING',
    '$SRV.PING.a.b.c',
  ]) {
    client.publish(subject, '', { reply: '_INBOX.nobody' });
  }
  const answers: string[] = [];
  const inbox = client.subscribe('_INBOX.nobody', {
    callback: (_error, { subject }) => void answers.push(subject),
  });
  // What it would have answered would be here before this.
  await ask('$SRV.PING');
  expect(answers).toEqual([]);
  inbox.unsubscribe();
});

test('a command that comes through it is carried out, a refusal says so as services do, and both are counted', async () => {
  const drain = order('backend.drain', { backend: 'a' });
  expect(await ask('usher.commands.backend.drain', drain)).toMatchObject({
    body: { ok: true, events: ['backend.drain_started'] },
    headers: undefined,
  });
  const { body } = await fleet.ask<{ backends: { lifecycle: string }[] }>('GET', '/v1/backends');
  expect(body.backends[0]?.lifecycle).not.toBe('active');
  const refused = await ask('usher.commands.backend.drain', order('backend.drain', { backend: 'b\nc' }, 'x'));
  expect(refused.body).toMatchObject({ ok: false, problem: { code: 'invalid_input' } });
  expect(refused.headers?.get('Nats-Service-Error-Code')).toBe('400');
  expect(refused.headers?.get('Nats-Service-Error')).toBe(refused.body.problem?.title);
  const { body: stats } = await ask('$SRV.STATS.usher-commands');
  expect(stats).toMatchObject({ type: 'io.nats.micro.v1.stats_response' });
  expect(Date.parse(stats.started ?? '')).toBeGreaterThan(0);
  const { endpoints } = stats;
  expect(endpoints.find(({ name }) => name === 'backend-drain')).toMatchObject({
    queue_group: 'usher',
    num_requests: 2,
    num_errors: 1,
    last_error: expect.stringMatching(/^400:/),
    processing_time: expect.any(Number),
    average_processing_time: expect.any(Number),
  });
  expect(endpoints.reduce((sum, each) => sum + each.num_requests, 0)).toBe(2);
});

test('nobody has an answer of the service sent to where events are stored', async () => {
  const before = (await fleet.ask<{ position: number }>('GET', '/v1/status')).body.position;
  client.publish('$SRV.PING', '', { reply: 'usher.events.scheduler.control' });
  await ask('$SRV.PING');
  expect((await fleet.ask<{ position: number }>('GET', '/v1/status')).body.position).toBe(before);
});
