import { expect, test } from 'vitest';
import { parseConfigText } from '../load.ts';

const VELO = '{ backends: { urls: [http://10.0.0.1] } }';

/** Where a pool of the process itself leads to. */
const urlsOf = (pool: string, text: string, options: Parameters<typeof parseConfigText>[1]) =>
  parseConfigText(text, options)
    .shared.backends.filter((backend) => backend.pool === pool)
    .map(({ url }) => url);
const set = (path: string, value: string) => ({ overrides: [{ path, value }] });

test.each([
  ['127.0.0.5:9191', 'http://127.0.0.5:9191'],
  ['0.0.0.0:9191', 'http://127.0.0.1:9191'],
  [':9191', 'http://127.0.0.1:9191'],
  ['[::]:9191', 'http://[::1]:9191'],
])('where metrics are moved to %s, requests for them in the traffic follow', (address, url) => {
  for (const options of [set('metrics.address', address), { env: { USHER_METRICS__ADDRESS: address } }])
    expect(urlsOf('usher-metrics', VELO, options)).toEqual([url]);
});

test('so does the API of Opsen', () => {
  const options = { ...set('opsen.address', '127.0.0.5:9191'), format: 'opsen-server' };
  expect(urlsOf('opsen-api', '{ port: 8080, server_key: k3-Vq9zR.t7wLm2xPd8 }', options)).toEqual([
    'http://127.0.0.5:9191',
  ]);
});

test('without metrics their path is like any other', () => {
  const { shared } = parseConfigText(VELO, set('metrics', 'none'));
  expect(shared.routes.map(({ pool }) => pool)).toEqual(['web']);
});

test('a pool that is moved by hand stays where it was put', () => {
  const backends = '[{ id: usher-metrics, url: "http://127.0.0.7:1" }]';
  const overrides = [
    ...set('metrics.address', '127.0.0.5:9191').overrides,
    ...set('pools.usher-metrics.backends', backends).overrides,
  ];
  expect(urlsOf('usher-metrics', VELO, { overrides })).toEqual(['http://127.0.0.7:1']);
});

test('an address that is none is told as such', () => {
  expect(() => urlsOf('usher-metrics', VELO, set('metrics.address', 'nowhere'))).toThrow(
    /^flag --set metrics.address: "nowhere" is not an address/,
  );
});

test('in a file of Usher a pool of that name is like any other', () => {
  const text = '{ pools: { usher-metrics: { backends: ["http://10.0.0.1"] } } }';
  expect(urlsOf('usher-metrics', text, set('metrics.address', '127.0.0.5:9191'))).toEqual([
    'http://10.0.0.1',
  ]);
});
