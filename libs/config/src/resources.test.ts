import { expect, test } from 'vitest';
import { parseConfigText } from './load.ts';
import { faultsOf } from './testing/faults-of.ts';

const GIB = 2 ** 30;

test('tiers and capacities are whole amounts, the memory of GPUs summed over the cards', () => {
  const text = `
pools:
  infer:
    tiers:
      - { name: gpu-l, vcpu: 8, memory: 32GiB, storage: 100GiB, gpus: 2, gpu_memory: 16GiB }
      - { name: tiny, vcpu: 0.25 }
    reserve: request
    scoring: { distance: 0, gpu: 2.5 }
    backends:
      - { url: http://a, capacity: { vcpu: 16, memory: 64GiB, gpus: 4, gpu_memory: 24GiB } }
      - http://b`;
  const { pools, backends } = parseConfigText(text).shared;
  const none = { milliCpu: 0, memoryBytes: 0, storageBytes: 0, gpus: 0, gpuMemoryBytes: 0 };
  expect(pools[0]?.tiers).toEqual([
    {
      name: 'gpu-l',
      resources: {
        milliCpu: 8000,
        memoryBytes: 32 * GIB,
        storageBytes: 100 * GIB,
        gpus: 2,
        gpuMemoryBytes: 32 * GIB,
      },
    },
    { name: 'tiny', resources: { ...none, milliCpu: 250 } },
  ]);
  expect(pools[0]?.reserve).toBe('request');
  expect(pools[0]?.scoring).toEqual({ distance: 0, cpu: 1, memory: 1, gpu: 2.5, latency: 1 });
  expect(backends.map(({ capacity }) => capacity)).toEqual([
    { milliCpu: 16_000, memoryBytes: 64 * GIB, storageBytes: 0, gpus: 4, gpuMemoryBytes: 96 * GIB },
    undefined,
  ]);
});

test('places and endpoints are taken as they are written, zeros included', () => {
  const text = `
geoip: { database: geo/city.mmdb }
pools:
  web:
    client_location: { latitude_header: X-Lat, longitude_header: X-Lon }
    backends:
      - url: http://a
        place: { latitude: 0, longitude: -0.5 }
        endpoints:
          - { path: "/api/*", url: "http://A.example:80" }
          - { path: "/*.png", url: "https://b" }
      - http://b`;
  const { shared, local } = parseConfigText(text, { folder: '/etc/usher' });
  expect(local.geoip).toEqual({ database: '/etc/usher/geo/city.mmdb' });
  expect(shared.pools[0]?.clientLocation).toEqual({ latitudeHeader: 'x-lat', longitudeHeader: 'x-lon' });
  expect(shared.backends[0]).toMatchObject({
    place: { latitude: 0, longitude: -0.5 },
    endpoints: [
      { path: '/api/*', url: 'http://a.example' },
      { path: '/*.png', url: 'https://b' },
    ],
  });
  expect(shared.backends[1]).not.toHaveProperty('endpoints');
  expect(shared.backends[1]).not.toHaveProperty('place');
});

test.each([
  [
    'tiers: [{ name: a }, { name: a }]',
    '1:44 pools.p.tiers[1].name: "a" is given twice, first by pools.p.tiers[0], f:1:31',
  ],
  [
    'tiers: [{ name: a, gpu_memory: 1GiB }]',
    '1:46 pools.p.tiers[0].gpu_memory: this is memory of GPUs, but the tier has none; set gpus',
  ],
  ['tiers: [{ vcpu: 1 }]', '1:23 pools.p.tiers[0].name: missing; expected an id (letters, digits, - and _)'],
  [
    'reserve: session',
    '1:24 pools.p.reserve: there is nothing to reserve without tiers; add tiers, or leave reserve out',
  ],
  [
    'reserve: requests',
    '1:24 pools.p.reserve: "requests" is not one of none, request, session, did you mean "request"?',
  ],
])('%s is a fault', (keys, fault) => {
  expect(faultsOf(`pools: { p: { ${keys} } }`)).toEqual([fault]);
});
