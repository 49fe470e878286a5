import { describe, expect, test } from 'vitest';
import { helios } from './helios.ts';
import { imported, importFaults } from './testing/imported.ts';
import { testKeys } from './testing/key-rows.ts';

const SECRET = 'k3-Vq9zR.t7wLm2xPd8';
const WEB = 'pools.web';
const LISTEN_TLS = 'listen[0].tls';

/** Everything that can be switched on is, but what has no equal. */
const BASE = {
  server: { port: 8080 },
  backends: [{ name: 'one', address: 'http://localhost:8081' }],
  health_checks: {
    active: { enabled: true, interval: 10, timeout: 5, path: '/' },
    passive: { enabled: true, unhealthy_threshold: 3, unhealthy_timeout: 30 },
  },
  rate_limit: { enabled: true, max_tokens: 100, refill_rate_seconds: 1 },
  circuit_breaker: { enabled: true },
  admin_api: { enabled: true, auth_token: SECRET },
  metrics: { enabled: true },
  logging: { request_id: { enabled: true } },
  plugins: { enabled: true, chain: [{ name: 'gzip' }] },
};

/** Nothing is. */
const PLAIN = { server: BASE.server, backends: BASE.backends };
const SECURE = {
  ...PLAIN,
  server: { port: 8080, tls: { enabled: true, certFile: 'a.pem', keyFile: 'a.key' } },
};

/** Other values than the defaults. */
const OTHER = {
  server: { port: 8080, timeouts: { read: 9 } },
  backends: [{ name: 'one', address: 'http://localhost:8081', weight: 9 }],
  load_balancer: { strategy: 'ip_hash' },
  circuit_breaker: { enabled: true, max_requests: 9 },
  plugins: { enabled: true, chain: [{ name: 'request-id' }] },
  logging: { format: 'json' },
};
const ZIPPED = { ...PLAIN, plugins: { enabled: true, chain: [{ name: 'gzip', config: { level: 5 } }] } };

describe('a key of Helios', () => {
  testKeys(
    helios,
    [
      BASE,
      [
        ['server.port', 8081, 'listen[0].address', '0.0.0.0:8081'],
        ['server.timeouts.read', 7, 'timeouts.request_header', '7s'],

        ['server.timeouts.write', 7, 'timeouts.body_idle', '7s'],
        ['server.timeouts.idle', 7, 'timeouts.idle', '7s'],
        ['server.timeouts.handler', 7, 'timeouts.request', '7s'],
        ['server.timeouts.shutdown', 7, 'timeouts.shutdown', '7s'],
        ['server.timeouts.backend_dial', 7, 'timeouts.connect', '7s'],
        ['server.timeouts.backend_read', 7, 'timeouts.response', '7s'],
        ['server.timeouts.backend_idle', 7, 'timeouts.backend_idle', '7s'],
        ['backends[].name', 'two', `${WEB}.backends[0].id`, 'two'],
        ['backends[].address', 'http://10.0.0.1:1', `${WEB}.backends[0].url`, 'http://10.0.0.1:1'],
        ['backends[].weight', 5, `${WEB}.backends[0].weight`, 5],

        ['load_balancer.strategy', 'least_connections', `${WEB}.strategy`, 'least_connections'],
        ['load_balancer.strategy', 'weighted_round_robin', `${WEB}.strategy`, 'weighted_round_robin'],
        ['load_balancer.strategy', 'ip_hash', `${WEB}.strategy`, 'ip_hash'],
        ['load_balancer.strategy', 'ip_hash_consistent', `${WEB}.strategy`, 'ip_hash'],
        ['load_balancer.websocket_pool.enabled', true, /websocket_pool: not translated/],
        ['load_balancer.websocket_pool.max_idle', 5],
        ['load_balancer.websocket_pool.max_active', 5],
        ['load_balancer.websocket_pool.idle_timeout_seconds', 5],

        ['health_checks.active.enabled', false, `${WEB}.health`, { type: 'none' }],
        ['health_checks.active.interval', 7, `${WEB}.health.interval`, '7s'],
        ['health_checks.active.timeout', 7, `${WEB}.health.timeout`, '7s'],
        ['health_checks.active.path', '/up', `${WEB}.health.path`, '/up'],

        ['health_checks.passive.unhealthy_threshold', 7, `${WEB}.passive.consecutive`, 7],
        ['health_checks.passive.unhealthy_timeout', 7, `${WEB}.passive.eject_for`, '7s'],

        ['rate_limit.max_tokens', 7, 'rate_limit.burst', 7],
        ['rate_limit.refill_rate_seconds', 6, 'rate_limit.rate', '10/m'],
        ['circuit_breaker.enabled', false, `${WEB}.breaker`, { enabled: false }],
        ['circuit_breaker.max_requests', 7, `${WEB}.breaker.half_open_requests`, 7],

        ['circuit_breaker.interval_seconds', 7, `${WEB}.breaker.window`, '7s'],
        ['circuit_breaker.timeout_seconds', 7, `${WEB}.breaker.open_for`, '7s'],
        ['circuit_breaker.failure_threshold', 7, `${WEB}.breaker.failures`, 7],
        ['circuit_breaker.success_threshold', 7, `${WEB}.breaker.successes`, 7],
        ['admin_api.enabled', false, 'admin', undefined],
        ['admin_api.port', 9191, 'helios.address', '0.0.0.0:9191'],

        ['admin_api.auth_token', 'change-me', 'helios.address', '127.0.0.1:9091'],
        ['admin_api.auth_token', '', /admin_api: changed: without auth_token/],
        [
          'admin_api.ip_allow_list',
          ['127.0.0.1', '10.0.0.0/8'],
          'admin.allow',
          ['127.0.0.1/32', '10.0.0.0/8'],
        ],
        ['admin_api.ip_deny_list', ['128.0.0.0/1', '::/0'], 'admin.allow', ['0.0.0.0/1']],
        ['metrics.enabled', false, 'metrics', 'none'],
        ['metrics.port', 9191, 'metrics.address', '0.0.0.0:9191'],
        ['metrics.path', '/other', 'metrics.path', '/other'],
        ['plugins.enabled', false, 'routes[0].plugins', undefined],

        ['plugins.chain[].name', 'logging', /not translated: there is no log of requests/],
        ['plugins.chain[].name', 'own', /not translated: there is no plugin own/],

        [
          'plugins.chain[]',
          { name: 'headers', config: { set: { 'X-App': 'Helios' }, request_set: { 'X-From': 'LB' } } },
          'response_headers',
          { set: { 'X-App': 'Helios' } },
        ],
        [
          'plugins.chain[]',
          { name: 'headers', config: { request_set: { 'X-From': 'LB' } } },
          'request_headers',
          { set: { 'X-From': 'LB' } },
        ],
        [
          'plugins.chain[]',
          { name: 'headers', config: { set: { Connection: 'x' } } },
          /config.set: not translated/,
        ],
        [
          'plugins.chain[]',
          { name: 'custom-auth', config: { apiKey: 'kf83-ab21-99de-0c7a' } },
          'api_keys',
          { header: 'X-API-Key', keys: [{ name: 'helios', key: 'kf83-ab21-99de-0c7a' }] },
        ],
        ['plugins.chain[].name', 'request-id', 'routes[0].plugins', undefined],
        ['plugins.chain[]', { name: 'size_limit' }, 'limits.request_body', '10MiB'],
        [
          'plugins.chain[]',
          { name: 'size_limit', config: { max_request_body: 2048 } },
          'limits.request_body',
          '2KiB',
        ],
        ['plugins.chain[].config', { min_size: 2048, level: 5 }, 'routes[0].plugins[0].min_size', '2KiB'],
        ['plugins.chain[].config', { level: 5 }, 'routes[0].plugins[0].levels', { gzip: 5 }],

        ['plugins.chain[].config', { level: 0 }, /config.level: changed/],
        [
          'plugins.chain[].config',
          { content_types: ['text/', 'application/json'] },
          'routes[0].plugins[0].types',
          ['text/*', 'application/json'],
        ],
        ['plugins.chain[].config', { content_types: ['all'] }, /content_types: not translated/],
        ['logging.level', 'warn', 'logging.level', 'warn'],
        ['logging.level', 'fatal', 'logging.level', 'error'],
        ['logging.format', 'json', 'logging.format', 'json'],

        ['logging.include_caller', true, /include_caller: not translated/],
        ['logging.request_id.enabled', true],
        ['logging.request_id.header', 'X-Correlation', /request_id.header: changed/],
        ['logging.trace.enabled', true, /logging.trace: not translated/],
        ['logging.trace.header', 'X-Other'],
      ],
    ],
    [
      PLAIN,
      [
        ['server.tls.enabled', false],
        ['server.tls', SECURE.server.tls, LISTEN_TLS, { certificates: [{ cert: 'a.pem', key: 'a.key' }] }],
        ['health_checks.active.enabled', true, `${WEB}.health.type`, 'http'],
        ['health_checks.passive.enabled', true, `${WEB}.passive.enabled`, true],
        ['rate_limit.enabled', true, 'rate_limit', { by: 'ip', rate: '1/s', burst: 100 }],
        ['circuit_breaker.enabled', true, `${WEB}.breaker.failures`, 5],
        ['metrics.enabled', true, 'metrics.address', '0.0.0.0:9090'],
        ['admin_api', { enabled: true, auth_token: SECRET }, 'admin.tokens[0].secret', SECRET],
        ['admin_api.enabled', true, 'helios', { address: '127.0.0.1:9091', pool: 'web' }],
      ],
    ],
    [
      OTHER,
      [
        ['server.timeouts.read', 0, 'timeouts.request_header', '15s'],
        ['backends[].weight', 0, `${WEB}.backends[0].weight`, 1],
        ['load_balancer.strategy', 'round_robin', `${WEB}.strategy`, 'round_robin'],
        ['circuit_breaker.max_requests', 0, `${WEB}.breaker.half_open_requests`, 1],
        ['plugins.chain[].name', 'gzip', 'routes[0].plugins', [{ name: 'compression', codings: ['gzip'] }]],
        ['logging.format', 'console', 'logging.format', 'text'],
        ['plugins.chain[].name', 'headers'],
      ],
    ],
    [ZIPPED, [['plugins.chain[].config', { level: -1 }, 'routes[0].plugins[0].levels', undefined]]],
    [
      SECURE,
      [
        ['server.tls.enabled', false, LISTEN_TLS, undefined],
        ['server.tls.certFile', 'b.pem', `${LISTEN_TLS}.certificates`, [{ cert: 'b.pem', key: 'a.key' }]],
        ['server.tls.keyFile', 'b.key', `${LISTEN_TLS}.certificates`, [{ cert: 'a.pem', key: 'b.key' }]],
      ],
    ],
  );
});

test('what is documented to be refused is refused, with its place', () => {
  const backend = 'backends: [{ name: a, address: "http://a:1" }]\n';
  for (const [text, fault] of [
    ['server: { port: 70000 }\n', /1:17 server.port: expected a whole number from 1 to 65535/],
    ['load_balancer: { strategy: robin }\n', /1:28 load_balancer.strategy: expected one of round_robin, .*/],
    ['logging: { level: loud }\n', /1:19 logging.level: expected one of/],
    ['plugins: { enabled: true, chain: [{ name: custom-auth }] }\n', /1:43 plugins.chain\[\].name: .*let in/],
    [
      'plugins: { enabled: true, chain: [{ name: custom-auth, config: { apiKey: k } }] }\n',
      /1:74 api_keys.keys\[0\].key: /,
    ],
    ['admin_api: { enabled: true, ip_allow_list: [10.0.0.0/33] }\n', /admin_api.ip_allow_list/],
    ['server: { tls: { enabled: true } }\n', /1:16 server.tls.certFile: TLS needs/],
    [
      'health_checks: { active: { enabled: true, interval: soon } }\n',
      /active.interval: expected a whole number/,
    ],
  ] as const)
    expect(importFaults(text + backend, 'helios').join('\n')).toMatch(fault);
  expect(importFaults('server: { port: 80 }\n', 'helios')).toContain('1:1 backends: there are no backends');
  expect(importFaults('backends: [{ address: "http://a:1" }]\n', 'helios').join('\n')).toContain(
    'a backend needs its name',
  );
});

test('two backends with the same name are a fault of both places', () => {
  const backends = '[{ name: a, address: "http://a:1" }, { name: a, address: "http://b:1" }]';
  expect(importFaults(`backends: ${backends}\n`, 'helios').join('\n')).toMatch(
    /1:\d+ pools.web.backends\[1\].id/,
  );
});

test('a key that nobody knows is told, with what was probably meant', () => {
  const { notes } = imported(
    'server: { prot: 1 }\nbackends: [{ name: a, address: "http://a:1" }]\n',
    'helios',
  );
  expect(notes).toEqual([
    '1:11 server.prot: not translated: Helios has no such key, did you mean "server.port"?',
  ]);
});

const ON = `enabled: true, auth_token: ${SECRET}`;
const withPorts = (ports: string) =>
  imported(`${ports}\nbackends: [{ name: a, address: "http://a:1" }]\n`, 'helios');

describe('the API of Usher itself', () => {
  test.each([
    [`admin_api: { ${ON}, port: 9092 }`, '127.0.0.1:9093', /admin_api.port: changed: .*127\.0\.0\.1:9093/],
    [`server: { port: 9092 }\nadmin_api: { ${ON} }`, '127.0.0.1:9093', /server.port: changed/],
    [
      `metrics: { enabled: true, port: 9092 }\nadmin_api: { ${ON} }`,
      '127.0.0.1:9093',
      /metrics.port: changed/,
    ],
    [
      `server: { port: 9094 }\nmetrics: { enabled: true, port: 9093 }\nadmin_api: { ${ON}, port: 9092 }`,
      '127.0.0.1:9095',
      /admin_api.port: changed/,
    ],
    ['server: { port: 9091 }', '127.0.0.1:9092', /server.port: changed/],
    ['metrics: { enabled: true, port: 9091 }', '127.0.0.1:9092', /metrics.port: changed/],
  ])('makes room for a file that says %s', (ports, address, note) => {
    const { file, notes } = withPorts(ports);
    expect(file).toMatchObject({ admin: { address } });
    expect(notes).toEqual([expect.stringMatching(note)]);
  });

  test('stays where it is when nothing takes its port', () => {
    expect(withPorts(`admin_api: { ${ON} }`)).toMatchObject({
      file: { admin: { address: '127.0.0.1:9092' } },
      notes: [],
    });
    expect(withPorts('metrics: { enabled: false, port: 9091 }').file).not.toHaveProperty('admin');
  });
});
