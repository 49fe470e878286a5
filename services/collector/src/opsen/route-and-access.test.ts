import { UsherError } from '@usher/domain';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CLIENT, OpsenRig, REPORT } from '../testing/opsen-rig.ts';

let rig: OpsenRig;
beforeEach(async () => {
  rig = await OpsenRig.start();
});
afterEach(async () => {
  await rig.stop();
});

describe('POST /route', () => {
  const wish = { tier: 'lite', client_ip: '192.0.2.1', client_lat: 40.71, client_lon: -74 };

  test('names a backend and how far it is', async () => {
    await rig.call('POST', '/register', CLIENT);
    expect(await rig.call('POST', '/route', wish, { 'x-session': 's-1' })).toEqual([
      200,
      {
        client_id: 'gpu-1',
        endpoint: 'http://10.0.0.1:11000',
        hostname: 'gpu-1.example.com',
        distance_km: expect.closeTo(5837, -1) as number,
      },
    ]);
    expect(rig.asked).toMatchObject([
      {
        pool: 'infer',
        tier: 'lite',
        client_ip: '192.0.2.1',
        client_lat: 40.71,
        client_lon: -74,
        headers: { 'x-session': 's-1' },
      },
    ]);
    expect(JSON.stringify(rig.asked)).not.toContain('secret');
  });

  test('has no distance where nobody knows a place, and no address where it is none', async () => {
    await rig.call('POST', '/register', CLIENT);
    const answer = await rig.call('POST', '/route', {
      ...wish,
      client_lat: 0,
      client_lon: 0,
      client_ip: 'x',
    });
    expect(answer).toEqual([
      200,
      { client_id: 'gpu-1', endpoint: 'http://10.0.0.1:11000', hostname: 'gpu-1.example.com' },
    ]);
    expect(rig.asked[0]).not.toHaveProperty('client_lat');
    expect(rig.asked[0]).not.toHaveProperty('client_ip');
  });

  test('goes by the ids of backends while the state store is away', async () => {
    await rig.call('POST', '/register', CLIENT);
    rig.fleet.leases.down = true;
    expect(await rig.call('POST', '/route', wish)).toMatchObject([
      200,
      { client_id: 'gpu-1', hostname: 'gpu-1' },
    ]);
  });

  test.each([
    ['huge', 'Unknown tier: huge\n'],
    ['', 'Unknown tier: \n'],
    [undefined, 'Unknown tier: \n'],
  ])('refuses a tier that is none: %j', async (tier, text) => {
    expect(await rig.call('POST', '/route', { ...wish, tier })).toEqual([400, text]);
    expect(rig.asked).toEqual([]);
  });

  test('says when no backend has the resources, and when no gateway answers', async () => {
    rig.fleet.route = async () =>
      JSON.stringify({ ok: true, answer: { chosen: null, url: null, from: null } });
    expect(await rig.call('POST', '/route', wish)).toEqual([
      503,
      'No available clients with sufficient resources\n',
    ]);
    rig.fleet.route = () => Promise.reject(new UsherError('no_leader', 'nobody serves usher.route'));
    expect(await rig.call('POST', '/route', wish)).toEqual([503, 'No gateway answers\n']);
  });
});

test('GET /clients lists them as Opsen does', async () => {
  await rig.call('POST', '/register', CLIENT);
  await rig.call('POST', '/stats', REPORT);
  await rig.fleet.seconds(1);
  const lastSeen = new Date(rig.fleet.fold.state.backends.get('gpu-1')?.stats?.atMs ?? 0).toISOString();
  expect(await rig.call('GET', '/clients')).toEqual([
    200,
    [
      {
        client_id: 'gpu-1',
        hostname: 'gpu-1.example.com',
        endpoint: 'http://10.0.0.1:11000',
        location: 'Paris, France',
        cpu_cores: 2,
        cpu_usage: ['12.3%', '100.0%'],
        memory_gb: '8.5/32.0',
        disk_gb: '40.0/100.0',
        last_seen: lastSeen,
        is_active: true,
        health_status: 'unknown',
        latency_ms: '0.0',
        total_gpus: 1,
        gpu_models: ['H100'],
        gpu_stats: [
          {
            device_id: 0,
            name: 'H100',
            utilization: '45.5%',
            vram: '32.5/80.0 GB',
            temperature: '65°C',
            power_draw: '250W',
          },
        ],
      },
    ],
  ]);
});

test('GET /clients has what a client registered with, whatever its reports leave out', async () => {
  const listed = async () => {
    const [, clients] = await rig.call('GET', '/clients');
    return (clients as readonly object[])[0];
  };
  const registered = {
    hostname: 'gpu-1.example.com',
    location: 'Paris, France',
    total_gpus: 2,
    gpu_models: ['H100', 'A100'],
  };
  await rig.call('POST', '/register', { ...CLIENT, total_gpus: 2, gpu_models: ['H100', 'A100'] });
  expect(await listed()).toMatchObject({ ...registered, gpu_stats: [] });
  const { hostname: _hostname, country: _country, city: _city, gpus: _gpus, ...bare } = REPORT;
  expect(await rig.call('POST', '/stats', bare)).toEqual([200, { status: 'ok' }]);
  await rig.fleet.seconds(1);
  expect(await listed()).toMatchObject({ ...registered, gpu_stats: [] });
  const [gpu] = REPORT.gpus;
  await rig.call('POST', '/stats', { ...bare, city: 'Lyon', gpus: [gpu, { ...gpu, name: undefined }] });
  await rig.fleet.seconds(1);
  expect(await listed()).toMatchObject({
    ...registered,
    location: 'Lyon, France',
    gpu_stats: [{ name: 'H100' }, { name: 'A100' }],
  });
});

test('GET /clients keeps what it knows of a client that reports while the store does not answer', async () => {
  await rig.call('POST', '/register', CLIENT);
  rig.fleet.leases.down = true;
  expect(await rig.call('POST', '/stats', { ...REPORT, city: 'Lyon' })).toEqual([200, { status: 'ok' }]);
  rig.fleet.leases.down = false;
  const [, clients] = await rig.call('GET', '/clients');
  expect(clients).toMatchObject([{ location: 'Paris, France' }]);
});

test('GET /clients tells of no GPUs where there are none', async () => {
  await rig.call('POST', '/register', { ...CLIENT, total_gpus: undefined, gpu_models: undefined });
  const [, clients] = await rig.call('GET', '/clients');
  expect((clients as readonly object[])[0]).not.toHaveProperty('total_gpus');
});

test('GET /health needs no key', async () => {
  await rig.call('POST', '/register', CLIENT);
  expect((await rig.app.inject('/health')).json()).toEqual({
    status: 'ok',
    timestamp: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    total_clients: 1,
    active_clients: 1,
  });
});

test('everything else needs one of the keys', async () => {
  for (const url of ['/register', '/stats', '/route']) {
    const answer = await rig.app.inject({ method: 'POST', url, payload: {} });
    expect([answer.statusCode, answer.body]).toEqual([401, 'Missing X-API-Key header\n']);
    expect(await rig.call('POST', url, {}, { 'x-api-key': 'secre' })).toEqual([403, 'Invalid API key\n']);
  }
  expect((await rig.call('GET', '/clients', undefined, { 'x-api-key': 'guess' }))[0]).toBe(403);
});

test('bodies are JSON, said or not, and methods are those that there are', async () => {
  expect(await rig.call('POST', '/route', '{"tier":', {})).toEqual([
    400,
    expect.stringMatching(/^Invalid JSON body: /),
  ]);
  expect(await rig.call('POST', '/route', '[]')).toEqual([400, 'Invalid JSON body: expected an object\n']);
  expect(await rig.call('POST', '/route')).toEqual([400, expect.stringMatching(/^Invalid JSON body: /)]);
  expect(await rig.call('POST', '/route', 'tier=lite', { 'content-type': 'text/plain' })).toEqual([
    415,
    'Content-Type must be application/json\n',
  ]);
  const untyped = { 'x-api-key': 'secret' };
  const answer = await rig.app.inject({
    method: 'POST',
    url: '/route',
    headers: untyped,
    payload: '{"tier":"lite"}',
  });
  expect(answer.statusCode).toBe(200);
  expect(await rig.call('PUT', '/register', CLIENT)).toEqual([405, 'Method not allowed\n']);
  expect(await rig.call('GET', '/route')).toEqual([405, 'Method not allowed\n']);
  const headers = { 'x-api-key': 'secret' };
  const methods = async (url: string) =>
    (await rig.app.inject({ method: 'PATCH', url, headers })).headers.allow;
  expect(await methods('/clients?active_only=true')).toBe('GET, HEAD');
  expect(await methods('/clients/purge')).toBe('DELETE, POST');
  expect(await rig.call('GET', '/nowhere')).toEqual([404, 'Not found\n']);
});

test('without keys it answers on this machine only, and to no page', async () => {
  await expect(OpsenRig.start({ keys: [], host: '0.0.0.0' })).rejects.toThrow('needs at least one key');
  await rig.stop();
  rig = await OpsenRig.start({ keys: [] });
  const status = async (headers: Record<string, string>) =>
    (await rig.app.inject({ url: '/clients', headers })).statusCode;
  expect(await status({ host: 'localhost:9092' })).toBe(200);
  expect(await status({ host: 'rebound.example' })).toBe(403);
  expect(await status({ host: 'localhost:9092', origin: 'http://evil.example' })).toBe(403);
});
