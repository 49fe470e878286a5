import { describe, expect, test } from 'vitest';
import { loadBalancer } from './load-balancer.ts';
import { imported, importFaults } from './testing/imported.ts';
import { testKeys } from './testing/key-rows.ts';

const BASE = {
  server: { port: 8090, tls: { enabled: true, cert_file: 'a.pem', key_file: 'a.key' } },
  backends: [{ id: 'one', url: 'http://10.0.0.1:80' }],
  sticky_session: { enabled: true },
};
const WEB = 'pools.web';
const CERTIFICATES = 'listen[0].tls.certificates';
const PAIR = [{ cert: 'b.pem', key: 'a.key' }];
/** The form of its README, and of older files. */
const README = { listen: BASE.server, algorithm: 'random', backends: BASE.backends };
const OLDER = { cert_file: 'a.pem', key_file: 'a.key', port: 8080, backends: BASE.backends };

describe('a key of load-balancer', () => {
  testKeys(
    loadBalancer,
    [
      BASE,
      [
        ['server.port', 8081, 'listen[0].address', '0.0.0.0:8081'],
        ['server', { tls: {} }, 'listen[0].address', '0.0.0.0:8080'],
        ['server.tls.enabled', false, 'listen[0].tls', undefined],
        ['server.tls.cert_file', 'b.pem', CERTIFICATES, PAIR],
        ['server.tls.key_file', 'b.key', `${CERTIFICATES}[0].key`, 'b.key'],
        ['server.tls.reload_interval', '1h'],
        ['server.tls.min_version', 'TLS13', 'listen[0].tls.min_version', '1.3'],
        ['server.tls.min_version', 'TLS10', /min_version: changed: TLS 1.2 is the oldest/],
        ['server.tls.max_version', 'TLS12', /max_version: not translated: TLS 1.3 is always on/],
        [
          'server.tls.cipher_suites',
          ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256'],
          'listen[0].tls.ciphers',
          'ECDHE-RSA-AES128-GCM-SHA256',
        ],

        ['algorithm', 'least-connections', `${WEB}.strategy`, 'least_connections'],
        ['algorithm', 'weighted-round-robin', `${WEB}.strategy`, 'weighted_round_robin'],
        ['algorithm', 'random', `${WEB}.strategy`, 'random'],
        ['sticky_session.enabled', false, `${WEB}.sticky`, undefined],
        ['sticky_session.type', 'ip', `${WEB}.sticky.by`, 'ip'],
        ['sticky_session.cookie_name', 'sid', `${WEB}.sticky.name`, 'sid'],
        ['sticky_session.ttl', '2h', `${WEB}.sticky.ttl`, '2h'],
        ['sticky_session.timeout', '2h', `${WEB}.sticky.ttl`, '2h'],
        ['sticky_session.max_sessions', 5, /max_sessions: not translated/],
        ['sticky_session.cleanup_interval', '2h'],
        ['health_check.interval', '7s', `${WEB}.health.interval`, '7s'],
        ['health_check.timeout', '1s', `${WEB}.health.timeout`, '1s'],
        ['health_check.path', '/up', `${WEB}.health.path`, '/up'],
        ['health_check.failure_threshold', 7, `${WEB}.health.fall`, 7],
        ['circuit_breaker.failure_threshold', 7, `${WEB}.breaker.failures`, 7],
        ['circuit_breaker.reset_timeout', '7s', `${WEB}.breaker.open_for`, '7s'],
        ['circuit_breaker.half_open_limit', 7, `${WEB}.breaker.half_open_requests`, 7],
        ['retry.max_retries', 3, `${WEB}.retry.attempts`, 3],
        ['retry.max_retries', 99, `${WEB}.retry.attempts`, 10],
        ['retry.initial_interval', '1s', /retry.initial_interval: not translated/],
        ['retry.max_interval', '1s', /retry.max_interval: not translated/],
        ['retry.multiplier', 2, /retry.multiplier: not translated/],
        ['retry.randomization', 0.1, /retry.randomization: not translated/],
        ['backends[].id', 'two', `${WEB}.backends[0].id`, 'two'],
        ['backends[].url', 'http://10.0.0.2', `${WEB}.backends[0].url`, 'http://10.0.0.2'],
        ['backends[].weight', 3, `${WEB}.backends[0].weight`, 3],
        ['metrics.prometheus.enabled', false, 'metrics', 'none'],
        [
          'metrics.prometheus.path',
          '/other',
          'routes[0]',
          { path: '/other', pool: 'usher-metrics', rewrite: { strip: '/other', add: '/metrics' } },
        ],
      ],
    ],
    [
      README,
      [
        ['algorithm', 'round-robin', `${WEB}.strategy`, 'round_robin'],
        [
          'sticky_session.enabled',
          true,
          `${WEB}.sticky`,
          { by: 'cookie', name: 'lb_session', ttl: '24h', idle: '24h' },
        ],
        ['listen.port', 8081, 'listen[0].address', '0.0.0.0:8081'],
        ['listen.tls.enabled', false, 'listen[0].tls', undefined],
        ['listen.tls.cert_file', 'b.pem', CERTIFICATES, PAIR],
        ['listen.tls.key_file', 'b.key', `${CERTIFICATES}[0].key`, 'b.key'],
      ],
    ],
    [
      OLDER,
      [
        ['port', 8081, 'listen[0].address', '0.0.0.0:8081'],
        ['cert_file', 'b.pem', CERTIFICATES, PAIR],
        ['key_file', 'b.key', `${CERTIFICATES}[0].key`, 'b.key'],
      ],
    ],
  );
});

test('the forms of its README and of older files say the same', () => {
  const backends = 'backends: [{ id: a, url: "http://a:1" }]\n';
  const readme = 'listen: { port: 8081, tls: { enabled: true, cert_file: a.pem, key_file: a.key } }\n';
  const older = 'port: 8081\ncert_file: a.pem\nkey_file: a.key\n';
  const listen = [{ address: '0.0.0.0:8081', tls: { certificates: [{ cert: 'a.pem', key: 'a.key' }] } }];
  for (const form of [readme, older])
    expect(imported(form + backends, 'load-balancer').file).toMatchObject({ listen });
});

test.each([
  ['algorithm: fastest\n', /1:12 algorithm: expected one of round-robin/],
  ['server: { tls: { enabled: true, min_version: TLS9 } }\n', /min_version: expected one of TLS10/],
  [
    'server: { tls: { enabled: true, cert_file: a, key_file: b, cipher_suites: [X] } }\n',
    /there is no cipher suite "X"/,
  ],
  ['backends: [{ id: a, url: "ftp://a" }]\n', /backends\[\].url: this is not a URL such as/],
  ['health_check: { interval: soon }\n', /health_check.interval: expected a duration such as 30s or 1m30s/],
])('%s is refused with its place', (text, fault) => {
  expect(importFaults(text, 'load-balancer').join('\n')).toMatch(fault);
});
