import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BackendStats, Eligibility, Resources } from '../backend.ts';
import { explainResource } from './explain-resource.ts';
import type { ResourceBackend } from './machine.ts';
import { onSphere } from './place.ts';
import { ResourceTable } from './resource-table.ts';
import { DEFAULT_SCORING } from './score.ts';
import { NO_RESOURCES, type Tier } from './tier.ts';

const GIB = 2 ** 30;

const tiers: readonly Tier[] = [
  { name: 'any', resources: NO_RESOURCES },
  { name: 'small', resources: { ...NO_RESOURCES, milliCpu: 1000, memoryBytes: GIB } },
  {
    name: 'large',
    resources: { ...NO_RESOURCES, milliCpu: 4000, memoryBytes: 8 * GIB, storageBytes: 20 * GIB },
  },
  { name: 'gpu', resources: { ...NO_RESOURCES, milliCpu: 2000, gpus: 1, gpuMemoryBytes: 16 * GIB } },
];

const stats = (parts: Partial<BackendStats> = {}): BackendStats => ({
  atMs: 0,
  coresPercent: [10, 10, 10, 10, 10, 10, 10, 10],
  memoryUsedBytes: 8 * GIB,
  memoryTotalBytes: 32 * GIB,
  diskUsedBytes: 10 * GIB,
  diskTotalBytes: 100 * GIB,
  gpus: [],
  ...parts,
});

const backend = (id: string, parts: Partial<ResourceBackend> = {}): ResourceBackend => ({
  id,
  weight: 1,
  barred: 'ok',
  latencyMs: 0,
  stats: stats(),
  stale: false,
  reserved: NO_RESOURCES,
  unreported: NO_RESOURCES,
  ...parts,
});

function tableOf(...backends: ResourceBackend[]): ResourceTable {
  const table = new ResourceTable(tiers, DEFAULT_SCORING);
  table.reset(backends);
  return table;
}

function choose(
  table: ResourceTable,
  parts: { tier?: string; chance?: number; without?: number[]; from?: [number, number] } = {},
) {
  const { tier = 'small', chance = 0, without = [], from } = parts;
  const point = from && onSphere({ latitude: from[0], longitude: from[1] });
  const row = table.choose({ tier: table.tierIndex(tier), from: point, chance, without });
  return table.rows[row]?.id;
}

describe('a decision by resources', () => {
  test('takes the backend with the least load', () => {
    const busy = backend('busy', { stats: stats({ coresPercent: [50, 50, 50, 50] }) });
    expect(choose(tableOf(busy, backend('idle')))).toBe('idle');
  });

  test('takes the near one of two at equal load, from either side of the equator and the prime meridian', () => {
    const table = tableOf(
      backend('accra', { place: { latitude: 5.6, longitude: -0.2 } }),
      backend('null-island', { place: { latitude: 0, longitude: 0 } }),
      backend('tokyo', { place: { latitude: 35.7, longitude: 139.7 } }),
    );
    expect(choose(table, { from: [0, 0] })).toBe('null-island');
    expect(choose(table, { from: [6, 0] })).toBe('accra');
    expect(choose(table, { from: [34, 135] })).toBe('tokyo');
    expect(choose(table, { from: [50, -179.9] })).toBe('tokyo');
  });

  test('a backend of unknown place counts as far as the others are on average', () => {
    const table = tableOf(
      backend('paris', { place: { latitude: 48.9, longitude: 2.4 } }),
      backend('unknown'),
      backend('sydney', { place: { latitude: -33.9, longitude: 151.2 } }),
      backend('nowhere', { place: { latitude: 91, longitude: 0 } }),
    );
    const from: [number, number] = [50.1, 8.7];
    const order = table.rank(
      { tier: 1, from: onSphere({ latitude: 50.1, longitude: 8.7 }), chance: 0, without: [] },
      4,
    );
    expect(order.map((row) => table.rows[row]?.id)).toEqual(['paris', 'unknown', 'nowhere', 'sydney']);
    expect(choose(table, { from, without: [0, 1, 3] })).toBe('sydney');
    const [paris, unknown, sydney] = explainResource(table, {
      tier: 1,
      from: onSphere({ latitude: 50.1, longitude: 8.7 }),
      chance: 0,
      without: [],
    }).candidates.map(({ parts }) => parts!.distance);
    expect(unknown).toBeGreaterThan(paris! + 5000);
    expect(unknown).toBeLessThan(sydney! - 5000);
  });

  test('distance does not count where no backend has a place, or the client has none', () => {
    const load = { stats: stats({ coresPercent: [50, 50, 50, 50] }) };
    expect(choose(tableOf(backend('busy', load), backend('idle')), { from: [50, 8] })).toBe('idle');
    const placed = backend('busy', { ...load, place: { latitude: 50, longitude: 8 } });
    expect(choose(tableOf(placed, backend('idle')))).toBe('idle');
  });

  test('shares among nearly equal backends by weight', () => {
    const table = tableOf(
      backend('a', { weight: 3 }),
      backend('b', { weight: 1, latencyMs: 4 }),
      backend('far', { latencyMs: 6 }),
    );
    const shares = { a: 0, b: 0, far: 0 };
    for (let step = 0; step < 1000; step++) {
      shares[choose(table, { chance: step / 1000 }) as keyof typeof shares] += 1;
    }
    expect(shares).toEqual({ a: 750, b: 250, far: 0 });
  });

  test('never takes a backend of weight 0, one that its regions bar, or one that was tried', () => {
    const table = tableOf(
      backend('never', { weight: 0 }),
      backend('drains', { barred: 'draining' }),
      backend('tried', { latencyMs: 1 }),
      backend('left', { latencyMs: 500 }),
    );
    expect(choose(table, { without: [2] })).toBe('left');
    expect(choose(table, { without: [2, 3] })).toBeUndefined();
  });

  test('answers nothing when there is no backend at all', () => {
    expect(choose(tableOf())).toBeUndefined();
  });

  test('a change of a backend counts from the next decision on, a new place included', () => {
    const many = Array.from({ length: 300 }, (_, i) =>
      backend(`b${i}`, { place: { latitude: i / 10, longitude: 20 }, latencyMs: 1000 }),
    );
    const table = tableOf(...many);
    table.update(299, backend('moved', { place: { latitude: -30, longitude: -70 }, latencyMs: 1000 }));
    expect(choose(table, { from: [-30, -70] })).toBe('moved');
    table.update(17, backend('fast', { place: { latitude: 1.7, longitude: 20 } }));
    expect(choose(table, { from: [1.7, 20] })).toBe('fast');
    expect(() => table.update(300, backend('x'))).toThrow(RangeError);
  });

  test('ranks backends as they would be chosen one after the other', () => {
    const table = tableOf(backend('c', { latencyMs: 60 }), backend('a'), backend('b', { latencyMs: 30 }));
    const ranked = table.rank({ tier: 1, from: undefined, chance: 0, without: [] }, 8);
    expect(ranked.map((row) => table.rows[row]?.id)).toEqual(['a', 'b', 'c']);
    expect(table.rank({ tier: 1, from: undefined, chance: 0, without: [1] }, 1)).toEqual([2]);
  });
});

const amount = fc.integer({ min: 0, max: 40 }).map((gib) => gib * GIB);
const someResources: fc.Arbitrary<Resources> = fc.record({
  milliCpu: fc.integer({ min: 0, max: 16_000 }),
  memoryBytes: amount,
  storageBytes: amount,
  gpus: fc.integer({ min: 0, max: 4 }),
  gpuMemoryBytes: amount,
});
const signed = fc.record({
  milliCpu: fc.integer({ min: -8000, max: 8000 }),
  gpus: fc.integer({ min: -2, max: 2 }),
});
const someStats: fc.Arbitrary<BackendStats> = fc
  .record({
    coresPercent: fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 8 }),
    memoryUsedBytes: amount,
    memoryTotalBytes: amount,
    diskUsedBytes: amount,
    diskTotalBytes: amount,
    gpus: fc.array(
      fc.record({
        percent: fc.integer({ min: 0, max: 100 }),
        memoryUsedBytes: amount,
        memoryTotalBytes: amount,
        temperatureC: fc.constant(50),
        powerW: fc.constant(100),
      }),
      { maxLength: 3 },
    ),
  })
  .map((parts) => ({ atMs: 0, ...parts }));
const somePlace = fc.option(
  fc.record({
    latitude: fc.oneof(fc.integer({ min: -90, max: 90 }), fc.constantFrom(0, 91, Number.NaN)),
    longitude: fc.oneof(fc.integer({ min: -180, max: 180 }), fc.constant(0)),
  }),
  { nil: undefined },
);
const someBackend: fc.Arbitrary<Omit<ResourceBackend, 'id'>> = fc.record({
  weight: fc.constantFrom(0, 0.5, 1, 1, 1, 7),
  barred: fc.constantFrom<Eligibility>('ok', 'ok', 'ok', 'ok', 'draining', 'full'),
  place: somePlace,
  latencyMs: fc.constantFrom(0, 1, 2.5, 7, 300, Number.NaN),
  stats: fc.option(someStats, { freq: 8 }),
  stale: fc.constantFrom(false, false, false, true),
  capacity: fc.option(someResources, { nil: undefined }),
  reserved: fc.constantFrom(NO_RESOURCES, { ...NO_RESOURCES, milliCpu: 2000, gpus: 1 }),
  unreported: signed.map((parts) => ({ ...NO_RESOURCES, ...parts })),
});
const someRequest = fc.record({
  tier: fc.nat({ max: tiers.length - 1 }),
  place: somePlace,
  chance: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  without: fc.array(fc.nat({ max: 10 }), { maxLength: 3 }),
});
const someScoring = fc.constantFrom(DEFAULT_SCORING, {
  distance: 0,
  cpu: 2,
  memory: 0,
  gpu: 1,
  latency: 0.25,
});

/** A few backends repeated make a table of any length, with many that are equal. */
const somePalette = fc.array(someBackend, { minLength: 1, maxLength: 25 });
function painted(palette: readonly Omit<ResourceBackend, 'id'>[], length: number): ResourceBackend[] {
  return Array.from({ length }, (_, row) => ({
    ...palette[(row * row) % palette.length]!,
    id: `b${row}`,
  }));
}

/** Small tables are looked at row by row, large ones by blocks; both must agree with the explanation. */
const tableLength = fc.oneof(fc.nat({ max: 12 }), fc.integer({ min: 120, max: 400 }));

test('a decision is the one that its explanation gives, for any backends and any request', () => {
  fc.assert(
    fc.property(
      somePalette,
      tableLength,
      fc.array(someRequest, { minLength: 1, maxLength: 8 }),
      someScoring,
      (palette, length, requests, scoring) => {
        const table = new ResourceTable(tiers, scoring);
        table.reset(painted(palette, length));
        for (const { place, ...features } of requests) {
          const request = { ...features, from: place && onSphere(place) };
          const { chosen, candidates } = explainResource(table, request);
          expect(table.rows[table.choose(request)]?.id).toBe(chosen);
          const shares = candidates.reduce((sum, { share }) => sum + share, 0);
          expect(shares).toBeCloseTo(chosen === undefined ? 0 : 1);
          const [best] = table.rank(request, 1);
          expect(best === undefined ? undefined : table.rows[best]!.id).toBe(chosen);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('tables that were changed row by row decide as those that were made at once', () => {
  fc.assert(
    fc.property(
      somePalette,
      somePalette,
      tableLength,
      someRequest,
      (palette, otherPalette, length, { place, ...features }) => {
        const before = painted(palette, length);
        const after = painted(otherPalette, length);
        const changed = new ResourceTable(tiers, DEFAULT_SCORING);
        changed.reset(before);
        for (const [row, each] of after.entries()) changed.update(row, each);
        const made = new ResourceTable(tiers, DEFAULT_SCORING);
        made.reset(after);
        const request = { ...features, from: place && onSphere(place) };
        expect(changed.choose(request)).toBe(made.choose(request));
      },
    ),
    { numRuns: 200 },
  );
});
