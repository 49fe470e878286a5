import { createAdminApp, createMetrics } from '@usher/runtime';
import { expect, test } from 'vitest';
import { smallFleet, TestAdmin, VIEW } from '../test-admin.ts';
import { registerHeliosRoutes } from './helios-routes.ts';

test('a process started when the clock said so, and has run for what has passed, whatever the clock was set to', async () => {
  const admin = new TestAdmin();
  await admin.write(...smallFleet());
  const context = admin.context();
  const { clock, log, random } = context;
  const startedMs = clock.now();
  const app = createAdminApp({
    host: '127.0.0.1',
    port: 0,
    tokens: [{ name: 'viewer', secret: 'view-secret', role: 'read' }],
    allow: ['127.0.0.0/8'],
    clock,
    log,
    random,
    health: () => ({ status: 'ok', services: [] }),
    register: (app) => registerHeliosRoutes(app, context, { pool: 'web', metrics: createMetrics() }),
  });
  admin.clock.advance(61_000);
  admin.clock.set(3_600_000);
  const answer = await app.inject({ url: '/v1/metrics', headers: VIEW });
  await app.close();
  expect(answer.json()).toMatchObject({
    start_time: new Date(startedMs).toISOString(),
    uptime: '1m1s',
    backend_metrics: { b1: { is_healthy: true } },
  });
});
