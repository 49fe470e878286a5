import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PoolSettings } from '@usher/domain';
import { type CityEntry, cityDatabase, tempDir } from '@usher/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startGateway } from '../index.ts';
import { policy, pool, route } from '../testing/fixtures.ts';
import { backendAt, TestFleet } from '../testing/fleet.ts';
import { ask, startBackend, until } from '../testing/http.ts';

// Whole gateways with their threads: a busy machine may take its time.
vi.setConfig({ testTimeout: 30_000 });

const BERLIN = { latitude: 52.52, longitude: 13.4 };
const SYDNEY = { latitude: -33.87, longitude: 151.21 };
/** On the equator and on the prime meridian. */
const ISLAND = { latitude: 0, longitude: 0 };

const ENTRIES: readonly CityEntry[] = [
  { network: '81.0.0.0/8', latitude: 48.14, longitude: 11.58 },
  { network: '1.0.0.0/8', latitude: -37.81, longitude: 144.96 },
  { network: '41.0.0.0/8', latitude: 0, longitude: 9.45 },
  { network: '2001:db8::/32', latitude: -31.95, longitude: 115.86 },
];

const PROXY = '127.0.0.0/8';
const LOCATION = { latitudeHeader: 'x-latitude', longitudeHeader: 'x-longitude' };

let fleet: TestFleet;
const closing: (() => unknown)[] = [];

beforeEach(() => {
  fleet = new TestFleet();
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  await fleet.close();
});

/** A gateway in front of backends in three places. Answers with who serves a request with these headers. */
async function gateway(
  geoipDatabase: string,
  settings: Partial<PoolSettings> = {},
  trustedProxies: readonly string[] = [PROXY],
) {
  const routes = [
    route({ id: 'zip', path: '/zip/*', pool: 'web', plugins: [{ name: 'gzip', options: {} }] }),
    route({ id: 'all', path: '/*', pool: 'web' }),
  ];
  const backends = [];
  for (const [id, place] of Object.entries({ berlin: BERLIN, sydney: SYDNEY, island: ISLAND })) {
    const backend = await startBackend(id);
    closing.push(() => backend.close());
    backends.push(backendAt(id, backend.url, { place }));
  }
  const pools = [pool({ strategy: 'resource', ...settings })];
  await fleet.configure(backends, { pools, routes, trustedProxies });
  const fallback = { ...policy({ routes }), pools: [], backends: [] };
  const listen = [{ host: '127.0.0.1', port: 0 }];
  const started = await startGateway(fleet.context(), { listen, workers: 2, geoipDatabase }, fallback);
  closing.push(() => started.stop());
  const { port } = started.addresses[0]!;
  const one = async (headers: Record<string, string>, path: string) => {
    const { text } = await ask(port, { headers, path });
    return text;
  };
  /** By several requests, through both lanes and both workers. */
  return async (headers: Record<string, string>): Promise<string> => {
    const names = new Set<string>();
    for (const path of ['/x', '/zip/x', '/x', '/zip/x', '/x', '/x', '/x', '/x'])
      names.add(await one(headers, path));
    return [...names].toSorted().join();
  };
}

function databaseFile(): string {
  const folder = tempDir();
  closing.push(() => folder.remove());
  return join(folder.path, 'city.mmdb');
}

const from = (address: string) => ({ 'x-forwarded-for': address });
const warnings = () => fleet.log.entries.filter(({ message }) => message.includes('GeoIP database cannot'));

test('requests go to the backend that is nearest to the address that they come from', async () => {
  const file = databaseFile();
  writeFileSync(file, cityDatabase(ENTRIES, { builtS: 1_700_000_000 }));
  const servedBy = await gateway(file);
  expect(await servedBy(from('81.2.3.4'))).toBe('berlin');
  expect(await servedBy(from('1.2.3.4'))).toBe('sydney');
  expect(await servedBy(from('41.2.3.4'))).toBe('island');
  expect(await servedBy(from('2001:db8::7'))).toBe('sydney');
  expect(await servedBy(from('81.2.3.4, 127.0.0.9'))).toBe('berlin');
  expect(await fleet.metrics.read('usher_geoip_usable')).toMatchObject([{ value: 1 }]);
  expect(await fleet.metrics.read('usher_geoip_build_timestamp_seconds')).toMatchObject([
    { value: 1_700_000_000 },
  ]);
});

test('a trusted proxy may tell where the client is, and its address counts when it does not', async () => {
  const file = databaseFile();
  writeFileSync(file, cityDatabase(ENTRIES));
  const servedBy = await gateway(file, { clientLocation: LOCATION });
  const at = (latitude: string, longitude: string) => ({
    ...from('81.2.3.4'),
    'X-Latitude': latitude,
    'X-Longitude': longitude,
  });
  expect(await servedBy(at('-33.9', '+151.2'))).toBe('sydney');
  expect(await servedBy(at('0', '0'))).toBe('island');
  expect(await servedBy(from('81.2.3.4'))).toBe('berlin');
  for (const odd of [
    at('-91', '151'),
    at('-33.9', ''),
    at('-33.9', 'NaN'),
    at('0x10', '151'),
    at('1e1', '151'),
  ])
    expect(await servedBy(odd)).toBe('berlin');
});

test('nobody else may', async () => {
  const file = databaseFile();
  writeFileSync(file, cityDatabase([...ENTRIES, { network: '127.0.0.0/8', ...BERLIN }]));
  const servedBy = await gateway(file, { clientLocation: LOCATION }, []);
  const claims = { ...from('1.2.3.4'), 'x-latitude': '-33.9', 'x-longitude': '151.2' };
  expect(await servedBy(claims)).toBe('berlin');
});

test('without a database all backends serve, with one warning, until there is one', async () => {
  const file = databaseFile();
  const servedBy = await gateway(file);
  expect(await servedBy(from('81.2.3.4'))).toContain(',');
  expect(await fleet.metrics.read('usher_geoip_usable')).toMatchObject([{ value: 0 }]);
  expect(await fleet.metrics.read('usher_geoip_build_timestamp_seconds')).toEqual([]);
  expect(warnings()).toMatchObject([
    { level: 'warn', fields: { file, cause: expect.stringContaining('no such file') } },
  ]);
  writeFileSync(file, cityDatabase(ENTRIES));
  await until(async () => (await servedBy(from('81.2.3.4'))) === 'berlin', 'the database is in use');
  expect(warnings()).toHaveLength(1);
});

test('a database that is replaced is followed, and a broken one leaves the old one in use', async () => {
  const file = databaseFile();
  const replace = (content: Buffer) => {
    writeFileSync(`${file}.new`, content);
    renameSync(`${file}.new`, file);
  };
  replace(cityDatabase(ENTRIES));
  const servedBy = await gateway(file);
  expect(await servedBy(from('81.2.3.4'))).toBe('berlin');
  replace(cityDatabase([{ network: '81.0.0.0/8', ...SYDNEY }]));
  await until(async () => (await servedBy(from('81.2.3.4'))) === 'sydney', 'the new one is in use');
  replace(cityDatabase(ENTRIES).subarray(0, 200));
  await until(() => warnings().length === 1, 'the broken one is noticed');
  expect(warnings()).toMatchObject([
    { message: 'the GeoIP database cannot be used; the one read before stays in use' },
  ]);
  expect(await servedBy(from('81.2.3.4'))).toBe('sydney');
  expect(await fleet.metrics.read('usher_geoip_usable')).toMatchObject([{ value: 0 }]);
  replace(cityDatabase(ENTRIES));
  await until(async () => (await servedBy(from('81.2.3.4'))) === 'berlin', 'a whole one is in use again');
  expect(await fleet.metrics.read('usher_geoip_usable')).toMatchObject([{ value: 1 }]);
});
