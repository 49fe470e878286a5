import { afterAll, beforeAll, expect } from 'vitest';
import { ask } from '../../services/gateway/src/testing/http.ts';
import { ForeignRuns, textOf } from '../support/foreign-runs.ts';
import { testRows } from '../support/page-rows.ts';
import { freePorts, type Ports } from '../support/ports.ts';
import { until } from '../support/wait.ts';

const LIMIT_MS = 120_000;
const SECRET = 'k3-Vq9zR.t7wLm2xPd8';
const KEPT_OUT = '127.0.0.7';
const DENIED = '127.0.0.9';

const runs = new ForeignRuns();
let ports: Ports;
let api: number;
let traffic: string;
let two: string;
let one: string;

beforeAll(async () => {
  one = (await runs.backend('one')).url;
  two = (await runs.backend('two')).url;
  ports = await freePorts();
  ({ admin: api } = await freePorts());
  traffic = `http://127.0.0.1:${ports.traffic}`;
  const started = await runs.run({
    system: 'helios',
    ports,
    config: `
server: { port: ${ports.traffic} }
backends: [{ name: one, address: "${one}", weight: 2 }]
load_balancer: { strategy: round_robin }
health_checks: { active: { enabled: true, interval: 2, timeout: 1, path: / } }
admin_api:
  enabled: true
  port: ${api}
  auth_token: ${SECRET}
  ip_allow_list: [127.0.0.1, ${DENIED}]
  ip_deny_list: [${DENIED}]
metrics: { enabled: true, port: ${ports.metrics}, path: /numbers }
rate_limit: { enabled: true, max_tokens: 300, refill_rate_seconds: 60 }
logging: { level: info, format: text }
`,
  });
  expect(started.output()).toContain('this is a configuration of Helios; it was translated');
  await until('served', async () => (await textOf(traffic)) === 'one');
}, LIMIT_MS);

afterAll(() => runs.end(), LIMIT_MS);

const call = async (
  path: string,
  body?: object | string,
  { method = body === undefined ? 'GET' : 'POST', token = SECRET, localAddress = '127.0.0.1' } = {},
) => {
  const sent = typeof body === 'object' ? JSON.stringify(body) : (body ?? '');
  const { status, text } = await ask(api, {
    path,
    method,
    localAddress,
    headers: {
      ...(token !== '' && { authorization: `Bearer ${token}` }),
      ...(sent !== '' && { 'content-type': 'application/json', 'content-length': String(sent.length) }),
    },
    ...(sent !== '' && { body: sent }),
  });
  return [status, /^[[{]/.test(text) ? JSON.parse(text) : text] as const;
};

const names = async () => {
  const [, backends] = await call('/v1/backends');
  return backends.map(({ name }: { readonly name: string }) => name);
};
const add = async (name: string) => await call('/v1/backends/add', { name, address: two });

const strategyAs = async (type: string) =>
  await ask(api, {
    path: '/v1/strategy',
    method: 'POST',
    headers: {
      authorization: `Bearer ${SECRET}`,
      'content-length': '26',
      ...(type !== '' && { 'content-type': type }),
    },
    body: '{"strategy":"round_robin"}',
  });

async function removedBy(method: string): Promise<void> {
  const name = `by-${method.toLowerCase()}`;
  expect(await add(name)).toEqual([201, 'added']);
  expect(await call('/v1/backends/remove', { name }, { method })).toEqual([200, 'removed']);
  await until('it is gone', async () => !(await names()).includes(name));
  expect(await call('/v1/backends/remove', { name }, { method })).toEqual([200, 'removed']);
  expect((await call('/v1/backends/remove', {}, { method }))[0]).toBe(400);
}

testRows(
  'helios',
  'Calls',
  {
    'GET /v1/health': async () =>
      expect(await call('/v1/health', undefined, { token: '' })).toMatchObject([200, { status: 'ok' }]),
    'GET /v1/metrics': async () => {
      const [status, metrics] = await call('/v1/metrics');
      expect(status).toBe(200);
      expect(metrics).toMatchObject({
        failed_requests: 0,
        successful_requests: metrics.total_requests,
        average_response_time_ms: expect.any(Number) as number,
        backend_metrics: {
          one: {
            name: 'one',
            is_healthy: true,
            failed_requests: 0,
            active_connections: expect.any(Number) as number,
            average_response_time_ms: expect.any(Number) as number,
          },
        },
        circuit_breaker_metrics: { one: { name: 'one', state: 'CLOSED' } },
        rate_limited_requests: 0,
        start_time: expect.stringMatching(/^20\d\d-/) as string,
        uptime: expect.stringMatching(/^([0-9]+h)?([0-9]+m)?[0-9]+s$/) as string,
      });
      expect(metrics.total_requests).toBeGreaterThan(0);
      expect(metrics.backend_metrics.one).not.toHaveProperty('last_health_check');
      let limited = 0;
      for (let count = 0; count < 320; count++) if ((await fetch(traffic)).status === 429) limited++;
      expect(limited).toBeGreaterThan(0);
      expect(await call('/v1/metrics')).toMatchObject([200, { rate_limited_requests: limited }]);
    },
    'GET /v1/backends': async () =>
      expect(await call('/v1/backends')).toEqual([
        200,
        [
          {
            name: 'one',
            address: one,
            healthy: true,
            active_connections: expect.any(Number) as number,
            weight: 2,
          },
        ],
      ]),
    'POST /v1/backends/add': async () => {
      expect(await add('two')).toEqual([201, 'added']);
      expect(await call('/v1/backends')).toMatchObject([
        200,
        [{ name: 'one' }, { name: 'two', address: two, weight: 1 }],
      ]);
      const localAddress = '127.0.0.21';
      await until(
        'the new one answers',
        async () => (await ask(ports.traffic, { localAddress })).text === 'two',
      );
      expect((await add('two'))[0]).toBe(409);
      for (const bad of [{ name: 'three' }, { address: two }, '{'])
        expect((await call('/v1/backends/add', bad))[0]).toBe(400);
      expect(await names()).toEqual(['one', 'two']);
    },
    'POST /v1/backends/remove': async () => await removedBy('POST'),
    'DELETE /v1/backends/remove': async () => await removedBy('DELETE'),
    'POST /v1/strategy': async () => {
      for (const type of ['application/x-www-form-urlencoded', 'text/plain', ''])
        expect(await strategyAs(type), type).toMatchObject({ status: 200, text: 'updated' });
      const all = [
        'round_robin',
        'least_connections',
        'weighted_round_robin',
        'ip_hash',
        'ip_hash_consistent',
      ];
      for (const strategy of all) expect(await call('/v1/strategy', { strategy })).toEqual([200, 'updated']);
      for (const bad of [{ strategy: 'fastest' }, {}]) expect((await call('/v1/strategy', bad))[0]).toBe(400);
    },
    'GET /v1/openapi.json': async () => {
      const [status, { paths }] = await call('/v1/openapi.json');
      expect(status).toBe(200);
      expect(Object.keys(paths).toSorted()).toEqual([
        '/v1/backends',
        '/v1/backends/add',
        '/v1/backends/remove',
        '/v1/health',
        '/v1/metrics',
        '/v1/openapi.json',
        '/v1/strategy',
      ]);
    },
    'Another method': async () => {
      const problem = { code: 'method_not_allowed', status: 405 };
      for (const path of ['/v1/backends/add', '/v1/strategy'])
        expect(await call(path)).toMatchObject([405, problem]);
      expect(await call('/v1/backends', {}, { method: 'PUT' })).toMatchObject([405, problem]);
      const headers = { authorization: `Bearer ${SECRET}` };
      const allowed = async (path: string) =>
        (await ask(api, { path, method: 'PUT', headers })).headers['allow'];
      expect(await allowed('/v1/backends')).toBe('GET, HEAD');
      expect(await allowed('/v1/backends/remove')).toBe('DELETE, POST');
    },
    'Without the token': async () => {
      for (const path of ['/v1/backends', '/v1/metrics'])
        for (const token of ['', 'wrong'])
          expect((await call(path, undefined, { token }))[0], path).toBe(401);
      expect((await call('/v1/strategy', { strategy: 'ip_hash' }, { token: 'wrong' }))[0]).toBe(401);
    },
    'From an address that is not allowed': async () => {
      for (const localAddress of [KEPT_OUT, DENIED])
        for (const path of ['/v1/backends', '/v1/health'])
          expect((await call(path, undefined, { localAddress }))[0]).toBe(403);
    },
    'GET metrics.path': async () => {
      expect((await fetch(`http://127.0.0.1:${ports.metrics}/metrics`)).status).toBe(404);
      const response = await fetch(`http://127.0.0.1:${ports.metrics}/numbers`);
      expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
      expect(await response.text()).toContain('usher_requests_total{');
    },
    'GET /health': async () => {
      const response = await fetch(`http://127.0.0.1:${ports.metrics}/health`);
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ status: expect.any(String) as string });
    },
    'GET /api/backends, GET /api/metrics': async () => {
      expect(await call('/api/backends')).toEqual(await call('/v1/backends'));
      expect(await call('/api/metrics')).toMatchObject([
        200,
        { total_requests: expect.any(Number) as number },
      ]);
    },
  },
  LIMIT_MS,
);
