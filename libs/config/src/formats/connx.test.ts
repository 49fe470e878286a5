import { describe, expect, test } from 'vitest';
import { connx } from './connx.ts';
import { imported, importFaults } from './testing/imported.ts';
import { testKeys } from './testing/key-rows.ts';

const BASE = { backends: [{ url: 'http://10.0.0.1:80' }], rateLimit: { enabled: true } };
const WEB = 'pools.web';

describe('a key of ConnX', () => {
  testKeys(
    connx,
    [
      BASE,
      [
        ['server.port', 8081, 'listen[0].address', '0.0.0.0:8081'],
        ['server.host', '127.0.0.1', 'listen[0].address', '127.0.0.1:8080'],
        ['server.host', '::1', 'listen[0].address', '[::1]:8080'],
        ['server.shutdownTimeout', 7, 'timeouts.shutdown', '7s'],
        [
          'backends[]',
          'http://10.0.0.2:81',
          `${WEB}.backends[0]`,
          { id: '10-0-0-2-81', url: 'http://10.0.0.2:81' },
        ],
        [
          'backends[].url',
          'http://10.0.0.2:81',
          `${WEB}.backends[0]`,
          { id: '10-0-0-2-81', url: 'http://10.0.0.2:81' },
        ],
        ['backends[].weight', 3, `${WEB}.backends[0].weight`, 3],
        ['backends[].weight', 0, `${WEB}.backends[0].weight`, 1],

        ['loadBalancing.algorithm', 'least-connections', `${WEB}.strategy`, 'least_connections'],
        ['loadBalancing.algorithm', 'weighted-round-robin', `${WEB}.strategy`, 'weighted_round_robin'],
        ['healthCheck.interval', 7, `${WEB}.health.interval`, '7s'],
        ['healthCheck.timeout', 7, `${WEB}.health.timeout`, '7s'],
        ['circuitBreaker.enabled', false, `${WEB}.breaker`, { enabled: false }],
        ['circuitBreaker.maxFailures', 7, `${WEB}.breaker.failures`, 7],
        ['circuitBreaker.timeout', 7, `${WEB}.breaker.open_for`, '7s'],
        ['circuitBreaker.resetTimeout', 7, /circuitBreaker.resetTimeout: not translated/],
        ['circuitBreaker.halfOpenSuccess', 7, `${WEB}.breaker.successes`, 7],

        ['rateLimit.requestsPerSec', 7, 'rate_limit', { by: 'global', rate: '7/s', burst: 14 }],
        ['rateLimit.burst', 7, 'rate_limit.burst', 7],
        ['rateLimit.perIP', true, 'rate_limit.by', 'ip'],
      ],
    ],
    [
      { backends: BASE.backends, loadBalancing: { algorithm: 'least-connections' } },
      [
        ['loadBalancing.algorithm', 'round-robin', `${WEB}.strategy`, 'round_robin'],
        ['rateLimit.enabled', true, 'rate_limit', { by: 'global', rate: '100/s', burst: 200 }],
      ],
    ],
  );
});

test('without a word about them all defaults are those of its README', () => {
  expect(imported('backends: [ "http://10.0.0.1:80" ]\nloadBalancing: {}\n', 'connx').file).toMatchObject({
    listen: [{ address: '0.0.0.0:8080' }],
    timeouts: { shutdown: '30s' },
    pools: {
      web: {
        strategy: 'round_robin',
        health: { interval: '30s', timeout: '5s' },
        breaker: { failures: 5, open_for: '1m', successes: 2 },
      },
    },
  });
});

test.each([
  ['loadBalancing: { algorithm: fastest }', /1:29 loadBalancing.algorithm: expected one of/],
  ['backends: [{ weight: 3 }]', /1:12 backends\[\].url: a backend needs its url/],
  ['backends: [{ url: "http://a:1", weight: -1 }]', /backends\[\].weight: expected a whole number from 0/],
  ['backends: 7', /1:11 backends: expected a list, found a number|1:11 backends: expected a list/],
])('%s is refused with its place', (text, fault) => {
  expect(importFaults(text, 'connx').join('\n')).toMatch(fault);
});
