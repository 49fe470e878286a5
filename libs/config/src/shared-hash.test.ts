import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseConfigText } from './load.ts';
import { sharedHash } from './shared-hash.ts';

const hashOf = (text: string): string => sharedHash(parseConfigText(text).shared);

test('the hash is SHA-256 over the canonical JSON of the shared settings', () => {
  const json =
    '{"backends":[],"limits":{"bodyRateBytesPerS":0,"connections":20000,"connectionsPerIp":0,"headerBytes":61440,' +
    '"headerCount":100,"requestBodyBytes":10485760,"requestsPerConnection":0,"upgrades":10000},' +
    '"pools":[],"routes":[],"timeouts":{"backendIdleMs":4000,"bodyIdleMs":60000,"connectMs":3000,"idleMs":75000,"lameDuckMs":1000,' +
    '"requestHeaderMs":10000,"requestMs":0,"responseIdleMs":300000,"responseMs":30000,"shutdownMs":30000,"upgradeIdleMs":3600000},' +
    '"trustedProxies":[]}';
  expect(hashOf('{}')).toBe(createHash('sha256').update(json).digest('hex'));
});

test('what is written differently and means the same has the same hash', () => {
  const written = 'pools: { web: { drain: 60s, strategy: p2c, backends: [http://a] } }';
  expect(hashOf('pools: { web: { backends: [{ url: "http://A:80/" }], drain: 1m } }')).toBe(hashOf(written));
  const { pools, ...others } = parseConfigText(written).shared;
  expect(sharedHash({ pools, ...others })).toBe(hashOf(written));
});

test('local keys do not count, and every shared one does', () => {
  const base = 'pools: { web: { backends: [http://a] } }\n';
  expect(hashOf(`${base}workers: 2\nname: x\nlogging: { level: debug }\n`)).toBe(hashOf(base));
  const others = [
    'timeouts: { idle: 1s }',
    'limits: { connections: 1 }',
    'trusted_proxies: [10.0.0.0/8]',
    'routes: [{ path: /, pool: web }]',
  ];
  const hashes = new Set([base, ...others.map((line) => base + line)].map(hashOf));
  expect(hashes.size).toBe(others.length + 1);
});
