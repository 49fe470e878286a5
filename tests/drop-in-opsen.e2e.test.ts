import { afterAll, expect, test } from 'vitest';
import { ForeignRuns } from './support/foreign-runs.ts';
import { freePorts } from './support/ports.ts';
import { until } from './support/wait.ts';

const LIMIT_MS = 120_000;
const SECRET = 'k3-Vq9zR.t7wLm2xPd8';

const runs = new ForeignRuns();
afterAll(() => runs.end(), LIMIT_MS);

test(
  "the file of Opsen's server runs with its flags; its API and the proxied traffic share a port",
  async () => {
    const ports = await freePorts();
    const { admin: opsen, metrics: other } = await freePorts();
    const one = await runs.backend('opsen-one');
    await runs.run({
      system: 'opsen',
      ports,
      flags: ['-port', String(ports.traffic), '-host', '127.0.0.1'],
      set: {
        'opsen.address': `127.0.0.1:${opsen}`,
        'opsen.endpoints': '127.0.0.0/8',
        'pools.opsen-api.backends': `[{ id: opsen-api, url: "http://127.0.0.1:${opsen}" }]`,
      },
      config: `
port: ${other}
server_key: ${SECRET}
proxy_endpoints: [/api]
sticky_header: X-Session-ID
health_check_interval_seconds: 1
health_check_timeout_seconds: 1
tiers: [{ name: lite, vcpu: 1, memory_gb: 1.0, storage_gb: 5 }, { name: big, vcpu: 64, memory_gb: 1.0, storage_gb: 5 }]
`,
    });
    const base = `http://127.0.0.1:${ports.traffic}`;
    const post = async (where: string, body: object, key = SECRET) => {
      const headers = { 'content-type': 'application/json', ...(key === '' ? {} : { 'x-api-key': key }) };
      const response = await fetch(base + where, { method: 'POST', headers, body: JSON.stringify(body) });
      const text = await response.text();
      return [response.status, text.startsWith('{') ? JSON.parse(text) : text] as const;
    };
    expect(await post('/register', {}, '')).toEqual([401, 'Missing X-API-Key header\n']);
    expect(await post('/register', {}, 'wrong')).toEqual([403, 'Invalid API key\n']);
    const client = { client_id: 'c1', hostname: 'h1', endpoint_url: one.url };
    expect(await post('/register', client)).toEqual([200, { status: 'registered' }]);
    const stats = {
      client_id: 'c1',
      hostname: 'h1',
      cpu_usage_avg: [10, 10],
      memory_total_gb: 16,
      memory_used_gb: 4,
      memory_avail_gb: 12,
      disk_total_gb: 100,
      disk_used_gb: 10,
      disk_avail_gb: 90,
    };
    expect(await post('/stats', stats)).toEqual([200, { status: 'ok' }]);
    const session = { 'x-session-id': 's1' };
    await until('proxied', async () => {
      const response = await fetch(`${base}/api/x?tier=lite`, { headers: session });
      return (await response.text()) === 'opsen-one';
    });
    expect(await post('/route', { tier: 'lite', client_ip: '192.0.2.1' })).toEqual([
      200,
      { client_id: 'c1', endpoint: one.url, hostname: 'h1' },
    ]);
    expect(await post('/route', { tier: 'none' })).toEqual([400, 'Unknown tier: none\n']);
    expect(await post('/route', { tier: 'big' })).toEqual([
      503,
      'No available clients with sufficient resources\n',
    ]);
    // A tier is found in the body, the query and the header, in that order; without any it is `lite`.
    const named = async (url: string, init: RequestInit) => (await fetch(base + url, init)).status;
    expect(await named('/api/x', {})).toBe(200);
    expect(await named('/api/x', { headers: { 'x-tier': 'none' } })).toBe(400);
    expect(await named('/api/x?tier=none', { headers: { 'x-tier': 'lite' } })).toBe(400);
    const body = JSON.stringify({ tier: 'lite' });
    const headers = { 'content-type': 'application/json' };
    expect(await named('/api/x?tier=none', { method: 'POST', headers, body })).toBe(200);
    expect(await named('/apix', {})).toBe(404);
    const health = await fetch(`${base}/health`);
    expect(await health.json()).toMatchObject({ status: 'ok', total_clients: 1, active_clients: 1 });
    const list = await fetch(`${base}/clients`, { headers: { 'x-api-key': SECRET } });
    expect(await list.json()).toMatchObject([{ client_id: 'c1', endpoint: one.url, is_active: true }]);
    expect(await post('/clients/purge', {})).toMatchObject([200, { status: 'success', purged: 0 }]);
    expect(await post('/clients/purge-pending', {})).toMatchObject([200, { status: 'success', purged: 0 }]);
  },
  LIMIT_MS,
);
