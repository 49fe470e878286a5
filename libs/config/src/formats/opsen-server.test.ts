import { describe, expect, test } from 'vitest';
import { parseConfigText } from '../load.ts';
import { opsenServer } from './opsen-server.ts';
import { imported, importFaults } from './testing/imported.ts';
import { testKeys } from './testing/key-rows.ts';
import { testFlags, testVariables } from './testing/overlay-rows.ts';

const TIER = { name: 'lite', vcpu: 1, memory_gb: 1, storage_gb: 5, gpu: 2 };
const BASE = {
  port: 8080,
  proxy_endpoints: ['/api'],
  server_key: 'k3-Vq9zR.t7wLm2xPd8',
  sticky_header: 'X-Session-ID',
  enable_cors: true,
  health_check_type: 'http',
  tiers: [TIER],
};
/** Every key that a variable or a flag lies over. */
const WRITTEN = {
  ...BASE,
  host: '127.0.0.1',
  database: 'a.db',
  stale_minutes: 5,
  cleanup_interval_seconds: 60,
};
const SECURE = { ...BASE, tls_cert_file: 'a.pem', tls_key_file: 'a.key' };
/** What is on there is off, and the other way round. */
const OPPOSITE = {
  ...BASE,
  whitelisted_ips: ['10.0.0.0/8'],
  enable_cors: false,
  health_check_type: 'tcp',
  disable_security_headers: true,
};
const CERTIFICATES = 'listen[0].tls.certificates';
const POOL = 'pools.opsen';
const LIMIT = 'routes[0].rate_limit';

describe("a key of Opsen's server", () => {
  testKeys(
    opsenServer,
    [
      BASE,
      [
        ['port', 8081, 'listen[0].address', '0.0.0.0:8081'],
        ['host', '127.0.0.1', 'listen[0].address', '127.0.0.1:8080'],
        ['database', '/a.db'],
        ['db_max_open_conns', 5],
        ['db_max_idle_conns', 5],
        ['db_conn_max_lifetime', 5],
        ['stale_minutes', 10, 'opsen.stale_after', '10m'],
        ['stale_client_timeout_minutes', 10, 'opsen.stale_after', '10m'],
        ['cleanup_interval_seconds', 5],
        ['log_level', 'warning', 'logging.level', 'warn'],
        ['json_logging', true, 'logging.format', 'json'],
        ['proxy_enabled', false, 'routes[5]', undefined],
        ['proxy_endpoints', ['/v2/'], 'routes[5].path', '/v2/*'],
        ['proxy_endpoints', ['/*'], 'routes[5].path', '/*'],
        ['proxy_endpoints', ['*'], 'routes[5].path', '/*'],
        ['proxy_endpoints', [], 'routes[5]', undefined],
        ['proxy_sse_flush_interval_ms', 100],
        ['tls_insecure_skip_verify', true, `${POOL}.tls`, { verify: false }],
        ['server_key', 'secret', 'opsen.keys', ['secret']],
        ['server_key', '', /server_key: changed: without a key/],
        ['api_keys', ['second'], 'opsen.keys', [BASE.server_key, 'second']],
        [
          'whitelisted_ips',
          ['10.0.0.0/8', '192.0.2.1'],
          'routes[0].clients',
          { allow: ['10.0.0.0/8', '192.0.2.1/32'] },
        ],

        ['rate_limit_per_minute', 30, LIMIT, { by: 'ip', rate: '30/m', burst: 120 }],
        ['rate_limit_per_minute', 0, LIMIT, undefined],
        ['rate_limit_burst', 30, LIMIT, { by: 'ip', rate: '1/s', burst: 30 }],
        ['max_request_body_bytes', 2048, 'limits.request_body', '2KiB'],
        ['request_timeout_seconds', 7, 'timeouts.response', '7s'],
        ['idle_timeout_seconds', 7, 'timeouts.idle', '7s'],
        ['read_header_timeout_seconds', 7, 'timeouts.request_header', '7s'],
        ['shutdown_timeout_seconds', 7, 'timeouts.shutdown', '7s'],
        ['disable_security_headers', true, 'security_headers', undefined],

        ['enable_cors', false, 'cors', undefined],
        ['cors_allowed_origins', ['https://a.example'], 'cors.origins', ['https://a.example']],
        ['geoip_db_path', 'city.mmdb', 'geoip.database', 'city.mmdb'],
        ['sticky_header', 'X-User', `${POOL}.sticky.name`, 'X-User'],
        ['sticky_header', '', `${POOL}.sticky`, undefined],
        ['sticky_by_ip', true, `${POOL}.sticky.fallback`, 'ip'],
        ['sticky_affinity_enabled', false, `${POOL}.sticky.affinity`, false],
        ['pending_allocation_timeout_seconds', 70, `${POOL}.reserve_idle`, '70s'],
        ['tier_field_name', 'plan', 'routes[5].tier.field', 'plan'],
        ['tier_header', 'X-Plan', 'routes[5].tier.header', 'X-Plan'],
        ['tiers', [], `${POOL}.tiers[4].name`, 'pro-max'],
        ['tiers[].name', 'big', `${POOL}.tiers[0].name`, 'big'],
        ['tiers[].name', 'big', 'routes[5].tier.default', undefined],
        ['tiers[].vcpu', 4, `${POOL}.tiers[0].vcpu`, 4],
        ['tiers[].memory_gb', 1.5, `${POOL}.tiers[0].memory`, '1536MiB'],
        ['tiers[].storage_gb', 4, `${POOL}.tiers[0].storage`, '4GiB'],
        ['tiers[].gpu', 4, `${POOL}.tiers[0].gpus`, 4],
        ['tiers[].gpu_memory_gb', 48, `${POOL}.tiers[0].gpu_memory`, '24GiB'],
        ['tiers[].gpu_memory_gb', 48, /gpu_memory_gb: changed: memory of all cards together/],
        ['health_check_enabled', false, `${POOL}.health`, { type: 'none' }],
        ['health_check_interval_seconds', 7, `${POOL}.health.interval`, '7s'],
        ['health_check_timeout_seconds', 7, `${POOL}.health.timeout`, '7s'],

        ['health_check_type', 'odd', `${POOL}.health.type`, 'tcp'],
        ['health_check_path', '/up', `${POOL}.health.path`, '/up'],
        ['health_check_unhealthy_threshold', 7, `${POOL}.health.fall`, 7],
        ['health_check_healthy_threshold', 7, `${POOL}.health.rise`, 7],
      ],
    ],
    [
      OPPOSITE,
      [
        ['whitelisted_ips', [], 'routes[0].clients', undefined],
        ['enable_cors', true, 'cors.origins', ['*']],
        ['enable_cors', true, 'cors.headers', ['Content-Type', 'X-API-Key', 'Authorization']],
        ['health_check_type', 'http', `${POOL}.health.expect_status`, ['2xx', '3xx']],
        [
          'disable_security_headers',
          false,
          'security_headers',
          { hsts: 'max-age=31536000; includeSubDomains', frame_options: 'DENY', referrer_policy: 'none' },
        ],
      ],
    ],
    [
      SECURE,
      [
        ['tls_cert_file', 'b.pem', CERTIFICATES, [{ cert: 'b.pem', key: 'a.key' }]],
        ['tls_key_file', 'b.key', CERTIFICATES, [{ cert: 'a.pem', key: 'b.key' }]],
      ],
    ],
  );
});

describe("a variable of Opsen's server", () => {
  testVariables(opsenServer, WRITTEN, [
    ['OPSEN_SERVER_PORT', 'port', '9000', 'listen[0].address', '127.0.0.1:9000'],
    ['OPSEN_SERVER_HOST', 'host', '::1', 'listen[0].address', '[::1]:8080'],
    ['OPSEN_SERVER_DATABASE', 'database', 'b.db'],
    ['OPSEN_SERVER_STALE_TIMEOUT', 'stale_minutes', '10', 'opsen.stale_after', '10m'],
    ['OPSEN_SERVER_CLEANUP_INTERVAL', 'cleanup_interval_seconds', '5'],
  ]);
});

describe("a flag of Opsen's server", () => {
  testFlags(opsenServer, WRITTEN, [
    ['port', 'port', '9000', 'listen[0].address', '127.0.0.1:9000'],
    ['host', 'host', '::1', 'listen[0].address', '[::1]:8080'],
    ['db', 'database', 'b.db'],
    ['stale', 'stale_minutes', '10', 'opsen.stale_after', '10m'],
    ['cleanup-interval', 'cleanup_interval_seconds', '5'],
  ]);
});

const read = (env: Record<string, string>, ...flags: readonly string[]) =>
  parseConfigText('port: 8080\nserver_key: k\n', { env, flags, format: 'opsen-server' }).local.listen;

test('its variables lie over the file, and its flags over both', () => {
  const env = { OPSEN_SERVER_PORT: '9000', OPSEN_SERVER_HOST: '127.0.0.1' };
  expect(read(env)).toMatchObject([{ host: '127.0.0.1', port: 9000 }]);
  expect(read(env, '-port', '9001', '--host=::1')).toMatchObject([{ host: '::1', port: 9001 }]);
  expect(() => read(env, '-ports', '1')).toThrow(
    /flag -ports: Opsen \(server\) has no such flag, did you mean "port"/,
  );
  expect(() => read(env, '-port')).toThrow('flag -port: its value is missing');
});

test('a list of clients is for the API alone, and its health is for all', () => {
  const text = 'server_key: k\nproxy_endpoints: [/api]\nwhitelisted_ips: [10.0.0.0/8]\n';
  const { routes } = imported(text, 'opsen-server').file;
  const limited = { clients: { allow: ['10.0.0.0/8'] } };
  expect(routes).toMatchObject([limited, limited, limited, limited, { path: '/health' }, { path: '/api/*' }]);
  for (const index of [4, 5]) expect(routes).not.toHaveProperty(`[${index}].clients`);
});

test.each([
  ['', {}, [], 300_000],
  ['stale_minutes: 2', {}, [], 120_000],
  ['stale_client_timeout_minutes: 3', {}, [], 180_000],
  ['stale_client_timeout_minutes: 3', { OPSEN_SERVER_STALE_TIMEOUT: '4' }, [], 240_000],
  ['stale_minutes: 2', { OPSEN_SERVER_STALE_TIMEOUT: '4' }, ['-stale', '6'], 360_000],
] as const)('how long a client may be silent: %s, %j, %j', (text, env, flags, staleAfterMs) => {
  const { local } = parseConfigText(`port: 8080\nserver_key: k\n${text}`, {
    env,
    flags,
    format: 'opsen-server',
  });
  expect(local.opsen).toMatchObject({ staleAfterMs });
});

test('of the two names of that time one counts, and it is said', () => {
  const { file, notes } = imported(
    'server_key: k\nstale_minutes: 2\nstale_client_timeout_minutes: 3\n',
    'opsen-server',
  );
  expect(file).toMatchObject({ opsen: { stale_after: '2m' } });
  expect(notes.join('\n')).toContain('3:31 stale_client_timeout_minutes: changed: stale_minutes counts');
});

test('the last of two tiers with one name counts', () => {
  const { file } = imported(
    'server_key: k\ntiers: [{ name: a, vcpu: 1 }, { name: a, vcpu: 2 }]\n',
    'opsen-server',
  );
  expect(file).toMatchObject({ pools: { opsen: { tiers: [{ name: 'a', vcpu: 2 }] } } });
});

test.each([
  ['stale_minutes: 20000', /1:16 .*out of range/],
  ['stale_minutes: 0', /1:16 stale_minutes: expected a whole number from 1/],
  ['port: many', /1:7 port: expected a whole number/],
  ['tiers: [{ vcpu: 1 }]', /tiers\[\].name: a tier needs its name/],
  ['whitelisted_ips: [10.0.0.0/33]', /1:18 whitelisted_ips: /],
  ['health_check_interval_seconds: 0', /expected a whole number from 1/],
  ['tls_cert_file: a.pem', /tls_key_file: TLS needs tls_key_file/],
])('%s is refused with its place', (text, fault) => {
  expect(importFaults(`${text}\nserver_key: k\n`, 'opsen-server').join('\n')).toMatch(fault);
});
