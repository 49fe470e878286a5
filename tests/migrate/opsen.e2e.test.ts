import { expect } from 'vitest';
import { testRows } from '../support/page-rows.ts';
import { call, LIMIT_MS, one, proxied, register, report, runOpsen, told } from './opsen-run.ts';

/** Not on the list of those who may use the API. */
const STRANGER = '127.0.0.66';

runOpsen();

const refusedBy = async (answer: ReturnType<typeof call>) => {
  const { status, headers, text } = await answer;
  expect(headers['content-type']).toBe('application/problem+json');
  return [status, (JSON.parse(text) as { readonly code: string }).code];
};

testRows(
  'opsen',
  'Calls',
  {
    'POST /register': async () => {
      await register('c1', one);
      await report('c1');
      expect((await told('/register', { body: '{' }))[0]).toBe(400);
      expect(await told('/register')).toEqual([405, 'Method not allowed\n']);
    },
    'POST /stats': async () => {
      await report('c1');
      expect((await told('/stats', { body: { client_id: 'nobody', cpu_usage_avg: [1] } }))[0]).toBe(404);
      expect((await told('/stats', { body: {} }))[0]).toBe(400);
      expect(await told('/stats')).toEqual([405, 'Method not allowed\n']);
    },
    'POST /route': async () => {
      expect(await told('/route', { body: { tier: 'lite', client_ip: '192.0.2.1' } })).toEqual([
        200,
        { client_id: 'c1', endpoint: one, hostname: 'host-c1' },
      ]);
      expect(await told('/route', { body: { tier: 'none' } })).toEqual([400, 'Unknown tier: none\n']);
      expect(await told('/route', { body: { tier: 'big' } })).toEqual([
        503,
        'No available clients with sufficient resources\n',
      ]);
    },
    'GET /health': async () =>
      expect(await told('/health', { key: '' })).toEqual([
        200,
        {
          status: 'ok',
          timestamp: expect.stringMatching(/^\d{4}-/) as string,
          total_clients: 1,
          active_clients: 1,
        },
      ]),
    'GET /clients': async () => {
      const [status, clients] = await told('/clients?active_only=true');
      expect([status, clients]).toMatchObject([
        200,
        [
          {
            client_id: 'c1',
            hostname: 'host-c1',
            endpoint: one,
            cpu_cores: 16,
            cpu_usage: Array.from({ length: 16 }, () => '10.0%'),
            memory_gb: '16.0/64.0',
            disk_gb: '100.0/1000.0',
            last_seen: expect.stringMatching(/^\d{4}-/) as string,
            is_active: true,
            health_status: expect.any(String) as string,
            latency_ms: expect.any(String) as string,
          },
        ],
      ]);
      expect(JSON.stringify(clients)).not.toContain('last_health_check');
    },
    'POST /clients/purge': async () => {
      for (const method of ['POST', 'DELETE'])
        expect(await told('/clients/purge', { method })).toEqual([
          200,
          {
            status: 'success',
            purged: 0,
            cache_purged: 0,
            db_purged: 0,
            timestamp: expect.any(String) as string,
          },
        ]);
    },
    'POST /clients/purge-pending': async () => {
      for (const method of ['POST', 'DELETE'])
        expect(await told('/clients/purge-pending', { method })).toEqual([
          200,
          { status: 'success', purged: 0, timestamp: expect.any(String) as string },
        ]);
    },
    'Without a key': async () => {
      for (const path of ['/register', '/stats', '/route', '/clients/purge'])
        expect(await told(path, { body: {}, key: '' })).toEqual([401, 'Missing X-API-Key header\n']);
      expect(await told('/clients', { key: '' })).toEqual([401, 'Missing X-API-Key header\n']);
    },
    'With a wrong key': async () =>
      expect(await told('/clients', { key: 'wrong' })).toEqual([403, 'Invalid API key\n']),
    whitelisted_ips: async () => {
      const localAddress = STRANGER;
      for (const path of ['/clients', '/clients/purge'])
        expect(await refusedBy(call(path, { localAddress }))).toEqual([403, 'forbidden']);
      expect(await refusedBy(call('/route', { localAddress, body: {} }))).toEqual([403, 'forbidden']);
      expect((await call('/health', { localAddress })).status).toBe(200);
      expect((await proxied({ localAddress })).status).toBe(200);
      expect((await call('/clients', { localAddress: '127.0.0.31' })).status).toBe(200);
    },
    rate_limit_per_minute: async () => {
      const localAddress = '127.0.0.5';
      for (let each = 0; each < 120; each++)
        expect((await call('/clients', { localAddress })).status).not.toBe(429);
      const { status, headers } = await call('/clients', { localAddress });
      expect([status, headers['retry-after']]).toEqual([429, expect.stringMatching(/^\d+$/)]);
      expect((await call('/health', { localAddress })).status).toBe(200);
      expect((await proxied({ localAddress })).status).toBe(200);
    },
    'Another type than JSON': async () =>
      expect(await told('/route', { body: 'a=b', headers: { 'content-type': 'text/plain' } })).toEqual([
        415,
        'Content-Type must be application/json\n',
      ]),
    'Another method': async () =>
      expect(await told('/route', { method: 'PUT', body: {} })).toEqual([405, 'Method not allowed\n']),
  },
  LIMIT_MS,
);
