import { createAdminApp } from '@usher/runtime';
import { MemoryEventLog, RecordingLog, SimulatedClock, seededRandom } from '@usher/testing';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { collectorRoutes } from './index.ts';
import { statsWith, TestFleet } from './testing/test-fleet.ts';

const TOKENS = [
  { name: 'agent', secret: 'agent-secret', role: 'operate' },
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
  const answer = await post('b', statsWith({}));
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
