import type { Log } from '@usher/ports';
import { afterEach, expect, test } from 'vitest';
import { type HealthReport, healthReport } from './health-report.ts';
import { type RunningServer, startMetricsServer } from './metrics-server.ts';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
let server: RunningServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const service = (name: string, fault?: string) => ({ name, fault: () => fault, stop: async () => {} });

async function start(report: HealthReport, render = async () => 'usher_up 1\n', path?: string) {
  const metrics = { contentType: 'text/plain; version=0.0.4; charset=utf-8', render };
  server = await startMetricsServer({
    host: '127.0.0.1',
    port: 0,
    path,
    metrics,
    health: () => report,
    log: silent,
  });
  const { port } = server;
  return (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init);
}

test('metrics are served in the text format', async () => {
  const get = await start(healthReport('running', []));
  const response = await get('/metrics');
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await response.text()).toBe('usher_up 1\n');
});

const running = () => healthReport('running', []);

test('other forms are there for whoever asks, and one of them may be what others get', async () => {
  const form = { contentType: 'application/json', render: async () => '{}' };
  const metrics = { contentType: 'text/plain', render: async () => 'usher_up 1' };
  const options = {
    host: '127.0.0.1',
    port: 0,
    metrics,
    forms: { velo: form },
    health: running,
    log: silent,
  };
  for (const [format, plain] of [
    [undefined, 'usher_up 1'],
    ['velo', '{}'],
  ] as const) {
    const started = await startMetricsServer({ ...options, format });
    const get = (path: string) => fetch(`http://127.0.0.1:${started.port}${path}`);
    try {
      expect(await (await get('/metrics')).text()).toBe(plain);
      expect(await (await get('/metrics?format=usher')).text()).toBe('usher_up 1');
      expect((await get('/metrics?format=velo')).headers.get('content-type')).toBe('application/json');
      for (const other of ['connx', '__proto__'])
        expect((await get(`/metrics?format=${other}`)).status).toBe(404);
    } finally {
      await started.close();
    }
  }
});

test('a process that serves with a fault is degraded, and still ready', async () => {
  const get = await start(
    healthReport('running', [service('gateway'), service('health', 'The log is away.')]),
  );
  const response = await get('/health');
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    status: 'degraded',
    outages: [],
    services: [
      { name: 'gateway', fault: null },
      { name: 'health', fault: 'The log is away.' },
    ],
  });
  expect((await get('/health/ready')).status).toBe(200);
});

test.each(['starting', 'stopping'] as const)('while %s, traffic should go elsewhere', async (phase) => {
  const get = await start(healthReport(phase, [service('gateway')]));
  const response = await get('/health');
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ status: phase });
  expect((await get('/health/ready')).status).toBe(503);
  expect((await get('/health/live')).status).toBe(200);
});

test('metrics may be somewhere else than usual, and health stays where it is', async () => {
  const get = await start(healthReport('running', []), undefined, '/numbers');
  expect(await (await get('/numbers?format=usher')).text()).toBe('usher_up 1\n');
  expect((await get('/numbers', { method: 'POST' })).status).toBe(405);
  expect((await get('/metrics')).status).toBe(404);
  expect((await get('/metrics', { method: 'POST' })).status).toBe(404);
  expect((await get('/health')).status).toBe(200);
});

test('other paths are not found, and other methods not allowed', async () => {
  const get = await start(healthReport('running', []));
  const response = await get('/other');
  expect(response.status).toBe(404);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(await response.json()).toMatchObject({ code: 'not_found', status: 404 });
  expect((await get('/other', { method: 'POST' })).status).toBe(404);
  for (const path of ['/metrics', '/metrics?format=usher', '/health', '/health/ready', '/health/live']) {
    const refused = await get(path, { method: 'POST', body: 'x' });
    expect([path, refused.status, refused.headers.get('allow')]).toEqual([path, 405, 'GET, HEAD']);
    expect(await refused.json()).toMatchObject({ code: 'method_not_allowed', status: 405 });
  }
  expect((await get('/metrics', { method: 'HEAD' })).status).toBe(200);
});

test('a scrape that fails is an internal error without its words', async () => {
  const get = await start(healthReport('running', []), () => Promise.reject(new Error('inner words')));
  const response = await get('/metrics');
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('inner words');
});
