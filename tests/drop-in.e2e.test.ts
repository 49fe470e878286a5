import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { end, type Started, start, USHER } from './support/command.ts';
import { ForeignRuns, textOf } from './support/foreign-runs.ts';
import { freePorts, type Ports } from './support/ports.ts';
import { until } from './support/wait.ts';

const LIMIT_MS = 120_000;
const SECRET = 'k3-Vq9zR.t7wLm2xPd8';

const runs = new ForeignRuns();
afterAll(() => runs.end(), LIMIT_MS);

const call = async (port: number, path: string, body?: object, token = SECRET) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return [response.status, /^[[{]/.test(text) ? JSON.parse(text) : text] as const;
};

/** Where its own metrics are reached from its own traffic. */
const metricsAt = (ports: Ports) => ({
  'pools.usher-metrics.backends': `[{ id: usher-metrics, url: "http://127.0.0.1:${ports.metrics}" }]`,
});

/** Waits until each of the backends has answered. */
async function answering(url: string, ...names: readonly string[]): Promise<void> {
  const seen = new Set<string>();
  await until(`answers of ${names.join(', ')}`, async () => {
    seen.add(await textOf(url));
    return names.every((name) => seen.has(name));
  });
}

describe('the file of Helios runs', () => {
  let started: Started;
  test(
    'with its ports and its admin API, in which backends and strategies change',
    async () => {
      const [one, two] = [await runs.backend('one'), await runs.backend('two')];
      const ports = await freePorts();
      const { admin: api } = await freePorts();
      started = await runs.run({
        system: 'helios',
        ports,
        config: `
server: { port: ${ports.traffic} }
backends: [{ name: one, address: "${one.url}", weight: 2 }]
load_balancer: { strategy: round_robin }
health_checks: { active: { enabled: true, interval: 2, timeout: 1, path: / } }
admin_api: { enabled: true, port: ${api}, auth_token: ${SECRET}, ip_allow_list: [127.0.0.1] }
metrics: { enabled: true, port: ${ports.metrics}, path: /metrics }
rate_limit: { enabled: true, max_tokens: 300, refill_rate_seconds: 60 }
logging: { level: info, format: text }
`,
      });
      expect(started.output()).toContain('this is a configuration of Helios; it was translated');
      const traffic = `http://127.0.0.1:${ports.traffic}`;
      await answering(traffic, 'one');
      expect(await call(api, '/v1/health', undefined, 'none')).toMatchObject([200, { status: 'ok' }]);
      expect((await call(api, '/v1/backends', undefined, 'wrong'))[0]).toBe(401);
      expect(await call(api, '/v1/backends')).toEqual([
        200,
        [
          {
            name: 'one',
            address: one.url,
            healthy: true,
            active_connections: expect.any(Number) as number,
            weight: 2,
          },
        ],
      ]);
      expect(await call(api, '/v1/backends/add', { name: 'two', address: two.url })).toEqual([201, 'added']);
      await answering(traffic, 'one', 'two');
      expect((await call(api, '/v1/backends/add', { name: 'three' }))[0]).toBe(400);
      expect(await call(api, '/v1/strategy', { strategy: 'least_connections' })).toEqual([200, 'updated']);
      expect((await call(api, '/v1/strategy', { strategy: 'fastest' }))[0]).toBe(400);
      expect(await call(api, '/v1/backends/remove', { name: 'two' })).toEqual([200, 'removed']);
      expect(await call(api, '/v1/backends/remove', { name: 'nobody' })).toEqual([200, 'removed']);
      await until('one alone', async () => {
        const [, list] = await call(api, '/v1/backends');
        return Array.isArray(list) && list.length === 1;
      });
      const [status, metrics] = await call(api, '/v1/metrics');
      expect(status).toBe(200);
      expect(metrics).toMatchObject({
        failed_requests: 0,
        backend_metrics: { one: { name: 'one', is_healthy: true, failed_requests: 0 } },
        circuit_breaker_metrics: { one: { state: 'CLOSED' } },
      });
      expect(metrics.total_requests).toBeGreaterThan(1);
      expect(metrics.uptime).toMatch(/^([0-9]+h)?([0-9]+m)?[0-9]+s$/);
      expect(metrics.rate_limited_requests).toBe(0);
      let limited = 0;
      for (let count = 0; count < 320; count++) if ((await fetch(traffic)).status === 429) limited++;
      expect(limited).toBeGreaterThan(0);
      expect(await call(api, '/v1/metrics')).toMatchObject([200, { rate_limited_requests: limited }]);
      const [, document] = await call(api, '/v1/openapi.json');
      expect(Object.keys(document.paths).toSorted()).toEqual([
        '/v1/backends',
        '/v1/backends/add',
        '/v1/backends/remove',
        '/v1/health',
        '/v1/metrics',
        '/v1/openapi.json',
        '/v1/strategy',
      ]);
      const operations = `http://127.0.0.1:${ports.metrics}`;
      expect(await textOf(`${operations}/metrics`)).toContain('usher_requests_total{');
      expect((await fetch(`${operations}/health`)).status).toBe(200);
    },
    LIMIT_MS,
  );

  test('and ends in order', async () => expect((await end(started, 'SIGTERM')).code).toBe(0), LIMIT_MS);
});

test(
  'the file of ConnX runs, with its weights, and its metrics by its names on the port of the traffic',
  async () => {
    const [one, two] = [await runs.backend('heavy'), await runs.backend('light')];
    const ports = await freePorts();
    await runs.run({
      system: 'connx',
      ports,
      set: metricsAt(ports),
      config: `
server: { port: ${ports.traffic}, host: 127.0.0.1, shutdownTimeout: 5 }
backends: [{ url: "${one.url}", weight: 3 }, { url: "${two.url}", weight: 1 }]
loadBalancing: { algorithm: weighted-round-robin }
healthCheck: { interval: 30, timeout: 5 }
`,
    });
    const traffic = `http://127.0.0.1:${ports.traffic}`;
    await answering(traffic, 'heavy', 'light');
    const names = [];
    for (let count = 0; count < 40; count++) names.push(await textOf(traffic));
    expect(names.filter((name) => name === 'light')).toHaveLength(10);
    const metrics = await textOf(`${traffic}/metrics`);
    for (const line of [
      /^connx_requests_total\{method_status="ANY_2xx"\} [0-9]+$/m,
      /^connx_errors_total 0$/m,
      /^connx_active_connections [1-9]/m,
      /^connx_response_time_seconds\{quantile="avg"\} 0\.[0-9]+/m,
      /^connx_response_time_seconds\{quantile="0.99"\} /m,
      /^connx_uptime_seconds [0-9.]+$/m,
      /^connx_requests_per_second [0-9.]+$/m,
    ])
      expect(metrics).toMatch(line);
    expect(metrics).toContain(`connx_backend_up{backend="${one.url}"} 1`);
    expect(await textOf(`${traffic}/metrics?format=usher`)).toContain('usher_requests_total{');
    expect((await fetch(`${traffic}/metrics?format=other`)).status).toBe(404);
  },
  LIMIT_MS,
);

test(
  'the file of Velo runs, its variables lie over it, and its metrics are JSON',
  async () => {
    const one = await runs.backend('velo-one');
    const ports = await freePorts();
    await runs.run({
      system: 'velo',
      ports,
      set: metricsAt(ports),
      env: { LB_PORT: String(ports.traffic), LB_ADDRESS: '127.0.0.1', LB_STRATEGY: 'leastconnection' },
      config: `
server: { address: 0.0.0.0, port: 1 }
backends: { urls: ["${one.url}"] }
strategy: roundrobin
metrics: { enabled: true, path: /metrics }
`,
    });
    const traffic = `http://127.0.0.1:${ports.traffic}`;
    await answering(traffic, 'velo-one');
    expect(JSON.parse(await textOf(`${traffic}/metrics`))).toMatchObject({
      web: {
        total_requests: expect.any(Number),
        failed_requests: 0,
        active_connections: expect.any(Number),
      },
    });
  },
  LIMIT_MS,
);

test(
  'the file of load-balancer runs, and its sticky cookie reaches the client',
  async () => {
    const [one, two] = [await runs.backend('lb-one'), await runs.backend('lb-two')];
    const ports = await freePorts();
    await runs.run({
      system: 'load-balancer',
      ports,
      set: metricsAt(ports),
      config: `
listen: { port: ${ports.traffic} }
algorithm: round-robin
backends: [{ id: one, url: "${one.url}" }, { id: two, url: "${two.url}" }]
health_check: { interval: 1s, timeout: 1s, path: /health }
sticky_session: { enabled: true, type: cookie, cookie_name: session_id, timeout: 1h }
`,
    });
    const traffic = `http://127.0.0.1:${ports.traffic}`;
    await answering(traffic, 'lb-one', 'lb-two');
    const first = await fetch(`${traffic}/a?b=c`);
    const name = await first.text();
    const cookie = /session_id=[^;]+/.exec(first.headers.get('set-cookie') ?? '')?.[0] ?? '';
    expect(cookie).not.toBe('');
    for (let count = 0; count < 6; count++)
      expect(await (await fetch(traffic, { headers: { cookie } })).text()).toBe(name);
    expect(await textOf(`${traffic}/metrics`)).toContain('usher_requests_total{');
  },
  LIMIT_MS,
);

test('a file of an agent, of nginx or with faults is not run, and it is said why', async () => {
  for (const [name, text, reason] of [
    ['client.yml', 'server_url: http://lb:8080\nwindow_minutes: 15\n', 'no load balancer'],
    ['nginx.conf', 'http { server { location / { proxy_pass http://a:1; } } }', 'look over what'],
    [
      'helios.yaml',
      'load_balancer: { strategy: robin }\nbackends: []\n',
      ':1:28 load_balancer.strategy: expected one of',
    ],
  ] as const) {
    const file = path.join(runs.directory, name);
    writeFileSync(file, text);
    const { code, stderr } = await start(USHER, ['run', '--config', file], runs.directory).result;
    expect(code, name).toBe(2);
    expect(stderr).toContain(reason);
  }
});
