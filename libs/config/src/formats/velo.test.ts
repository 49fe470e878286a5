import { describe, expect, test } from 'vitest';
import { parseConfigText } from '../load.ts';
import { importFaults } from './testing/imported.ts';
import { testKeys } from './testing/key-rows.ts';
import { testVariables } from './testing/overlay-rows.ts';
import { velo } from './velo.ts';

const BASE = { backends: { urls: ['http://10.0.0.1:80'] } };
/** Every key that a variable lies over. */
const WRITTEN = {
  ...BASE,
  server: { address: '127.0.0.1', port: 8091 },
  strategy: 'roundrobin',
  circuit: { failure_threshold: 4, timeout: '11s' },
  health: { interval: '6s', timeout: '3s' },
};
const WEB = 'pools.web';

describe('a key of Velo', () => {
  testKeys(
    velo,
    [
      BASE,
      [
        ['server.address', '127.0.0.1', 'listen[0].address', '127.0.0.1:8090'],
        ['server.port', 8091, 'listen[0].address', '0.0.0.0:8091'],
        [
          'backends.urls',
          ['http://a:1', 'http://b:2'],
          `${WEB}.backends[1]`,
          { id: 'b-2', url: 'http://b:2' },
        ],
        ['strategy', 'leastconnection', `${WEB}.strategy`, 'least_connections'],
        ['circuit.failure_threshold', 7, `${WEB}.breaker.failures`, 7],
        ['circuit.timeout', '7s', `${WEB}.breaker.open_for`, '7s'],
        ['health.interval', '1m30s', `${WEB}.health.interval`, '90s'],
        ['health.timeout', '500ms', `${WEB}.health.timeout`, '500ms'],
        ['metrics.enabled', false, 'metrics', 'none'],
        [
          'metrics.path',
          '/other',
          'routes[0]',
          { path: '/other', pool: 'usher-metrics', rewrite: { strip: '/other', add: '/metrics' } },
        ],
      ],
    ],
    [
      { ...BASE, strategy: 'leastconnection', metrics: { enabled: false } },
      [
        ['strategy', 'roundrobin', `${WEB}.strategy`, 'round_robin'],
        ['metrics.enabled', true, 'metrics', { address: '127.0.0.1:9090', format: 'velo' }],
        ['metrics.enabled', true, 'routes[0]', { path: '/metrics', pool: 'usher-metrics' }],
      ],
    ],
  );
});

describe('a variable of Velo', () => {
  testVariables(velo, WRITTEN, [
    ['LB_PORT', 'server.port', '9000', 'listen[0].address', '127.0.0.1:9000'],
    ['LB_ADDRESS', 'server.address', '0.0.0.0', 'listen[0].address', '0.0.0.0:8091'],
    ['LB_STRATEGY', 'strategy', 'leastconnection', `${WEB}.strategy`, 'least_connections'],
    ['HEALTH_CHECK_INTERVAL', 'health.interval', '7s', `${WEB}.health.interval`, '7s'],
    ['HEALTH_CHECK_TIMEOUT', 'health.timeout', '500ms', `${WEB}.health.timeout`, '500ms'],
    ['CIRCUIT_FAILURE_THRESHOLD', 'circuit.failure_threshold', '9', `${WEB}.breaker.failures`, 9],
    ['CIRCUIT_TIMEOUT', 'circuit.timeout', '21s', `${WEB}.breaker.open_for`, '21s'],
  ]);
});

test('its variables lie over the file, and a variable that is wrong is named', () => {
  const text = 'backends: { urls: ["http://a:1"] }\n';
  const env = {
    LB_PORT: '9000',
    LB_ADDRESS: '127.0.0.1',
    LB_STRATEGY: 'leastconnection',
    HEALTH_CHECK_INTERVAL: '7s',
    HEALTH_CHECK_TIMEOUT: '3s',
    CIRCUIT_FAILURE_THRESHOLD: '9',
    CIRCUIT_TIMEOUT: '21s',
  };
  const { local, shared } = parseConfigText(text, { env });
  expect(local.listen).toMatchObject([{ host: '127.0.0.1', port: 9000 }]);
  expect(shared.pools[0]).toMatchObject({
    strategy: 'least_connections',
    health: { intervalMs: 7000, timeoutMs: 3000 },
    breaker: { failures: 9, openForMs: 21_000 },
  });
  expect(() => parseConfigText(text, { env: { LB_PORT: 'many' } })).toThrow(
    /env LB_PORT: expected a whole number/,
  );
});

test.each([
  ['numbers', /^1:59 metrics.path: a path starts with \/.*\/numbers/m],
  ["''", /^1:59 metrics.path: a path starts with \//m],
  ['/', /^1:59 metrics.path: it ends without a slash/m],
  ['/a/*', /^1:59 metrics.path: this is not the beginning of a path/m],
])('metrics cannot be at %s', (path, fault) => {
  const text = `{ backends: { urls: [http://10.0.0.1] }, metrics: { path: ${path} } }`;
  const faults = importFaults(text, 'velo');
  expect(faults.join('\n')).toMatch(fault);
  expect(faults).toHaveLength(1);
});
