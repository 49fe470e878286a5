import { expect, test } from 'vitest';
import { explainConfig } from './explain.ts';
import { parseConfigText } from './load.ts';

test('every value is explained by where it comes from', () => {
  const config = parseConfigText('workers: 2\npools:\n  web: { backends: [http://a], drain: 5s }\n', {
    env: { USHER_TIMEOUTS__IDLE: '20s' },
    overrides: [{ path: 'pools.web.retry.budget', value: '5%' }],
    hostname: 'lb-1',
  });
  const origins = new Map(explainConfig(config).map(({ path, value, origin }) => [path, [value, origin]]));
  expect(origins.get('workers')).toEqual(['2', 'usher.yaml:1:10']);
  expect(origins.get('listen[0]')).toEqual(['0.0.0.0:8080', 'default']);
  expect(origins.get('name')).toEqual(['lb-1', 'default']);
  expect(origins.get('timeouts.idle')).toEqual(['20s', 'env USHER_TIMEOUTS__IDLE']);
  expect(origins.get('timeouts.connect')).toEqual(['3s', 'default']);
  expect(origins.get('trusted_proxies')).toEqual(['[]', 'default']);
  expect(origins.get('pools.web.backends[0]')).toEqual(['http://a', 'usher.yaml:3:21']);
  expect(origins.get('pools.web.drain')).toEqual(['5s', 'usher.yaml:3:39']);
  expect(origins.get('pools.web.retry.budget')).toEqual(['5%', 'flag --set pools.web.retry.budget']);
  expect(origins.get('pools.web.health.type')).toEqual(['tcp', 'default']);
});

test('a configuration that was not read from text has no explanation', () => {
  expect(explainConfig({ ...parseConfigText('{}') })).toEqual([]);
});
