import { expect, test } from 'vitest';
import { parseConfigText } from './load.ts';
import type { UsherConfig } from './settings.ts';

const EVERY_2XX = Array.from({ length: 100 }, (_, index) => 200 + index);

const DEFAULTS: UsherConfig = {
  local: {
    name: 'host-1-example',
    listen: [{ host: '0.0.0.0', port: 8080, http2: true, proxyProtocol: false, proxyProtocolFrom: [] }],
    workers: 'auto',
    admin: {
      host: '127.0.0.1',
      port: 9091,
      tokens: [],
      allow: ['0.0.0.0/0', '::/0'],
      deny: [],
      limits: { bodyBytes: 65_536, connections: 256, connectionsPerIp: 64, requestsPerS: 500 },
    },
    metrics: { host: '127.0.0.1', port: 9090, path: '/metrics' },
    bus: { type: 'embedded' },
    store: { type: 'embedded' },
    data: '/etc/usher/data',
    overload: { memorySoft: 0.8, memoryHard: 0.9, loopDelayMs: 200 },
    logging: { level: 'info', format: 'json' },
  },
  shared: {
    pools: [],
    backends: [],
    routes: [],
    timeouts: {
      requestHeaderMs: 10_000,
      connectMs: 3000,
      responseMs: 30_000,
      bodyIdleMs: 60_000,
      idleMs: 75_000,
      backendIdleMs: 4000,
      requestMs: 0,
      upgradeIdleMs: 3_600_000,
      lameDuckMs: 1_000,
      responseIdleMs: 300_000,
      shutdownMs: 30_000,
    },
    limits: {
      requestBodyBytes: 10_485_760,
      bodyRateBytesPerS: 0,
      headerBytes: 61_440,
      headerCount: 100,
      connections: 20_000,
      connectionsPerIp: 0,
      requestsPerConnection: 0,
      upgrades: 10_000,
    },
    trustedProxies: [],
  },
};

const DEFAULT_POOL = {
  id: 'web',
  strategy: 'p2c',
  hash: { by: 'ip' },
  slowStartMs: 0,
  health: { type: 'tcp', intervalMs: 5000, downIntervalMs: 15_000, timeoutMs: 2000, fall: 3, rise: 2 },
  passive: {
    enabled: true,
    consecutive: 5,
    failureRate: 0.5,
    windowMs: 10_000,
    requestsMin: 20,
    ejectForMs: 30_000,
    maxEjected: 0.5,
  },
  panic: 0.5,
  failOpen: true,
  breaker: {
    enabled: true,
    failures: 5,
    windowMs: 10_000,
    openForMs: 30_000,
    halfOpenRequests: 3,
    successes: 2,
  },
  retry: { attempts: 1, budgetRatio: 0.2 },
  queue: { max: 1000, timeoutMs: 5000 },
  tls: { verify: true },
  proxyProtocol: 'none',
  http2: false,
  drainMs: 30_000,
  agents: false,
  tiers: [],
  reserve: 'none',
  reserveIdleMs: 300_000,
  reserveWithoutStore: 'local_share',
  scoring: { distance: 1, cpu: 1, memory: 1, gpu: 1.5, latency: 1 },
};

const surroundings = { folder: '/etc/usher', hostname: 'host-1.example' };

test('a configuration that says nothing has every default', () => {
  expect(parseConfigText('{}', surroundings)).toStrictEqual(DEFAULTS);
});

test('a pool that says nothing has every default, and a backend that is only a URL too', () => {
  const { shared } = parseConfigText('pools: { web: { backends: ["http://A.example:80/"] } }');
  expect(shared.pools).toStrictEqual([DEFAULT_POOL]);
  expect(shared.backends).toStrictEqual([
    { id: 'web-1', pool: 'web', url: 'http://a.example', weight: 1, maxConnections: 0 },
  ]);
});

test('an http check asks for / and takes every 2xx, unless told otherwise', () => {
  const { shared } = parseConfigText(
    'pools: { a: { health: { type: http } }, b: { health: { type: http, path: /up, expect_status: [3xx, 204, 204] } } }',
  );
  const timing = { intervalMs: 5000, downIntervalMs: 15_000, timeoutMs: 2000, fall: 3, rise: 2 };
  expect(shared.pools[0]?.health).toStrictEqual({
    type: 'http',
    path: '/',
    method: 'GET',
    headers: {},
    expectStatus: EVERY_2XX,
    ...timing,
  });
  const expectStatus = [204, ...Array.from({ length: 100 }, (_, index) => 300 + index)];
  const asked = { path: '/up', method: 'GET', headers: {}, expectStatus };
  expect(shared.pools[1]?.health).toStrictEqual({ type: 'http', ...asked, ...timing });
});

test('an http check says what it asks with and what it wants to hear', () => {
  const { shared } = parseConfigText(
    'pools: { a: { health: { type: http, method: HEAD, headers: { X-Probe: "yes" }, expect_status: [200-202], down_interval: 5s } }, b: { health: { type: http, expect_body: up } } }',
  );
  expect(shared.pools[0]?.health).toMatchObject({
    method: 'HEAD',
    headers: { 'x-probe': 'yes' },
    expectStatus: [200, 201, 202],
    downIntervalMs: 5000,
  });
  expect(shared.pools[1]?.health).toMatchObject({ expectBody: 'up' });
});

test.each([
  ['health: { type: http, method: HEAD, expect_body: up }', 'answers to HEAD have no body'],
  ['health: { type: http, headers: { Content-Length: "3" } }', 'sets this header itself'],
  ['health: { type: http, expect_status: [399-200] }', 'or a range such as 200-399'],
  ['health: { down_interval: 1s }', 'shorter than the interval'],
  ['health: { method: GET }', 'has no meaning when type is tcp'],
  ['passive: { max_ejected: 60% }', 'it goes up to 50%'],
  ['passive: { failure_rate: 0% }', 'would eject every backend'],
])('health that makes no sense is refused: %s', (keys, complaint) => {
  expect(() => parseConfigText(`pools: { a: { ${keys} } }`)).toThrow(complaint);
});

test('ids that are not given come from the place in the list', () => {
  const { shared } = parseConfigText(
    [
      'pools:',
      '  web: { backends: [http://a, { id: own, url: http://b }, { url: http://c }] }',
      '  api: { backends: [http://d] }',
      'routes: [{ path: /a, pool: api }, { id: rest, path: /*, pool: web }]',
    ].join('\n'),
  );
  expect(shared.backends.map(({ id, pool }) => [id, pool])).toEqual([
    ['web-1', 'web'],
    ['own', 'web'],
    ['web-3', 'web'],
    ['api-1', 'api'],
  ]);
  expect(shared.routes.map((route) => route.id)).toEqual(['route-1', 'rest']);
});

test.each([
  ['web-01.prod.example', 'web-01-prod-example'],
  ['_edge_', 'edge_'],
  ['…', 'usher'],
  ['', 'usher'],
  ['x'.repeat(80), 'x'.repeat(63)],
])('the host name %j makes the name %s', (hostname, name) => {
  expect(parseConfigText('{}', { hostname }).local.name).toBe(name);
});

test('admin and metrics can be switched off', () => {
  const { local } = parseConfigText('admin: none\nmetrics: none\n');
  expect(local.admin).toBeNull();
  expect(local.metrics).toBeNull();
});

test('every form of a value is normalised', () => {
  const { local, shared } = parseConfigText(
    [
      'listen: [":80", { address: "[::1]:8081" }, "LOCALHOST:0", { address: ":81", proxy_protocol: true, proxy_protocol_from: ["FD00::/8"] }]',
      'trusted_proxies: [10.0.0.0/8, "FD00:0:0::/8"]',
      'timeouts: { idle: 1.5h, connect: 250ms }',
      'limits: { request_body: 0B, header_bytes: 32KB }',
      'pools: { web: { retry: { budget: 12.5% }, drain: 0s } }',
      'routes: [{ host: "*.Example.COM", path: /v1/*, pool: web, plugins: [{ name: compression, min_size: 1KiB, codings: [br, gzip] }] }]',
      'bus: { servers: ["nats://A", "nats://[::1]:1"] }',
      'store: rediss://Redis:7000/2',
    ].join('\n'),
  );
  const plain = { http2: true, proxyProtocol: false, proxyProtocolFrom: [] };
  expect(local.listen).toEqual([
    { host: '0.0.0.0', port: 80, ...plain },
    { host: '::1', port: 8081, ...plain },
    { host: 'localhost', port: 0, ...plain },
    { host: '0.0.0.0', port: 81, http2: true, proxyProtocol: true, proxyProtocolFrom: ['fd00::/8'] },
  ]);
  expect(shared.trustedProxies).toEqual(['10.0.0.0/8', 'fd00::/8']);
  expect(shared.timeouts).toMatchObject({ idleMs: 5_400_000, connectMs: 250 });
  expect(shared.limits).toMatchObject({ requestBodyBytes: 0, headerBytes: 32_000 });
  expect(shared.pools[0]).toMatchObject({ retry: { budgetRatio: 0.125 }, drainMs: 0 });
  expect(shared.routes[0]).toStrictEqual({
    id: 'route-1',
    host: '*.example.com',
    path: '/v1/*',
    pool: 'web',
    priority: 'normal',
    websocket: true,
    plugins: [{ name: 'compression', options: { min_size: '1KiB', codings: ['br', 'gzip'] } }],
  });
  expect(local.bus).toEqual({ type: 'nats', servers: ['nats://a:4222', 'nats://[::1]:1'] });
  expect(local.store).toEqual({ type: 'redis', url: 'rediss://redis:7000/2' });
});

test('nothing in a configuration can be changed', () => {
  const config = parseConfigText('pools: { web: { backends: [http://a] } }');
  expect(() => Object.assign(config.local, { workers: 9 })).toThrow(TypeError);
  expect(() => Object.assign(config.shared.backends[0]!, { weight: 9 })).toThrow(TypeError);
  expect(Object.isFrozen(config.shared.pools)).toBe(true);
});
