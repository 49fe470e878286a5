import { problemOf } from '@usher/domain';
import { createAdminApp } from '@usher/runtime';
import { MemoryEventLog, RecordingLog, SimulatedClock, seededRandom } from '@usher/testing';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { collectorRoutes } from './index.ts';
import { statsWith, TestFleet } from './testing/test-fleet.ts';

const TOKENS = [
  { name: 'beside-a', secret: 'agent-secret', role: 'agent', backend: 'a' },
  { name: 'ops', secret: 'ops-secret', role: 'operate' },
  { name: 'viewer', secret: 'view-secret', role: 'read' },
] as const;

let events: MemoryEventLog;
let fleet: TestFleet;
let app: FastifyInstance;

beforeEach(async () => {
  const clock = new SimulatedClock();
  const [random, log] = [seededRandom(7), new RecordingLog()];
  events = new MemoryEventLog(clock);
  fleet = new TestFleet({ clock, events, random, log });
  const collector = await fleet.start();
  app = createAdminApp({
    host: '127.0.0.1',
    port: 0,
    tokens: TOKENS,
    allow: ['127.0.0.0/8'],
    clock,
    log,
    random,
    health: () => ({ status: 'ok', services: [] }),
    register: (server) => collectorRoutes(server, collector),
  });
});
afterEach(async () => {
  await app.close();
  await fleet.stop();
});

function post(backend: string, payload: object, secret = 'agent-secret') {
  const headers = { authorization: `Bearer ${secret}` };
  return app.inject({ method: 'POST', url: `/v1/stats/${backend}`, payload, headers });
}

test('a report over HTTP reaches every collector and is written', async () => {
  await fleet.start('two');
  const answer = await post('a', statsWith({}));
  expect([answer.statusCode, answer.body]).toEqual([204, '']);
  await fleet.seconds(1);
  expect(fleet.types()).toEqual(['backend.stats_reported']);
  expect(await fleet.metric('usher_collector_reports_total', 'outcome')).toMatchObject({ accepted: 1 });
});

test('a report of a backend that the fleet does not know is answered 404', async () => {
  const answer = await post('b', statsWith({}), 'ops-secret');
  expect(answer.statusCode).toBe(404);
  expect(answer.json()).toMatchObject({ code: 'not_found', detail: 'The fleet has no such backend' });
});

test('a bad report is answered with what is wrong with it, and counted', async () => {
  const answer = await post('a', { ...statsWith({}), coresPercent: [150] });
  expect(answer.statusCode).toBe(400);
  expect(answer.json()).toMatchObject({
    code: 'invalid_input',
    detail: expect.stringContaining('coresPercent.0'),
  });
  await fleet.seconds(1);
  expect(fleet.written).toEqual([]);
  expect(await fleet.metric('usher_collector_reports_total', 'outcome')).toMatchObject({ invalid: 1 });
});

test('while the log cannot be written, agents are told to come back later', async () => {
  events.setConnected(false);
  const answer = await post('a', statsWith({}));
  expect(answer.statusCode).toBe(503);
  expect(answer.headers['retry-after']).toBe('2');
});

test('a token that may only read cannot report', async () => {
  expect((await post('a', statsWith({}), 'view-secret')).statusCode).toBe(403);
});

test('an agent cannot report for another backend', async () => {
  fleet.register('b');
  const answer = await post('b', statsWith({}));
  expect(answer.statusCode).toBe(403);
  expect(answer.json()).toMatchObject({ detail: expect.stringContaining('for this backend') });
});

test('an agent registers its backend and takes it away, and no other', async () => {
  const headers = { authorization: 'Bearer agent-secret' };
  const payload = { pool: 'web', url: 'http://10.0.0.1:80' };
  const put = async (backend: string, body: object) =>
    (await app.inject({ method: 'PUT', url: `/v1/agents/${backend}`, payload: body, headers })).statusCode;
  expect(await put('a', payload)).toBe(204);
  expect((await app.inject({ method: 'DELETE', url: '/v1/agents/a', headers })).statusCode).toBe(204);
  expect(fleet.commands).toMatchObject([
    { name: 'backend.announce', data: { settings: { id: 'a', weight: 1, ...payload } }, actor: 'beside-a' },
    { name: 'backend.withdraw', data: { backend: 'a' }, actor: 'beside-a' },
  ]);
  expect(await put('b', payload)).toBe(403);
  expect((await app.inject({ method: 'DELETE', url: '/v1/agents/b', headers })).statusCode).toBe(403);
  expect(await put('a', { ...payload, id: 'b' })).toBe(400);
  expect(await put('a', { ...payload, extra: 1 })).toBe(400);
  expect(fleet.commands).toHaveLength(2);
});

test('what the scheduler refuses, the agent is told', async () => {
  fleet.decide = async () => ({ ok: false, problem: problemOf('forbidden', 'pool web takes no agents') });
  const headers = { authorization: 'Bearer agent-secret' };
  const payload = { pool: 'web', url: 'http://10.0.0.1:80' };
  const answer = await app.inject({ method: 'PUT', url: '/v1/agents/a', payload, headers });
  expect([answer.statusCode, answer.json().detail]).toEqual([403, 'pool web takes no agents']);
});

test('a registration is answered when the backend is known here, so that the first report is', async () => {
  fleet.decide = async () => {
    setImmediate(() => fleet.register('n'));
    return { ok: true, position: 99, events: ['backend.registered'], repeated: false };
  };
  const wish = { wish: 'register', settings: { pool: 'web', url: 'http://10.0.0.9:80' } };
  expect(await fleet.ask('n', JSON.stringify(wish))).toEqual({});
  expect(fleet.fold.state.backends.has('n')).toBe(true);
});

test('over the bus the subject says for whom an agent speaks', async () => {
  const settings = { pool: 'web', url: 'http://10.0.0.1:80' };
  expect(await fleet.ask('a', JSON.stringify({ wish: 'register', settings }))).toEqual({});
  expect(await fleet.ask('a', JSON.stringify({ wish: 'deregister' }))).toEqual({});
  expect(fleet.commands.map(({ name, actor }) => [name, actor])).toEqual([
    ['backend.announce', 'agent/a'],
    ['backend.withdraw', 'agent/a'],
  ]);
  expect(await fleet.ask('a', JSON.stringify({ wish: 'check' }))).toEqual({});
  const refused = [
    ['b', JSON.stringify({ wish: 'check' }), 'not_found'],
    ['a', '{', 'invalid_input'],
    ['a', 'null', 'invalid_input'],
    ['a', JSON.stringify({ wish: 'everything' }), 'invalid_input'],
    ['a', JSON.stringify({ wish: 'register' }), 'invalid_input'],
    ['a.b', JSON.stringify({ wish: 'register', settings }), 'invalid_input'],
  ] as const;
  for (const [backend, payload, code] of refused)
    expect(await fleet.ask(backend, payload)).toMatchObject({ problem: { code } });
});
